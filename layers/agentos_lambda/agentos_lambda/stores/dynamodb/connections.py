"""Connections: one item each, which DynamoDB deletes when API Gateway has ended the connection in any case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.items import VERSION, Item, names, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests
from agentos_lambda.websocket.ports import CONNECTION_LIFETIME_MS, Connection, TooManyRuns

_IS_OPEN = "attribute_exists(connection_id)"


class DynamoDBConnections:
    """Implements ``websocket.ports.ConnectionStore``."""

    def __init__(self, table: str, clients: Clients, requests: Requests) -> None:
        self._table = table
        self._clients = clients
        self._requests = requests

    def open(self, connection_id: str, *, now: int) -> None:
        item = {**VERSION, **_key(connection_id), "expires_at": number((now + CONNECTION_LIFETIME_MS) // 1000)}
        self._requests.send(lambda: self._clients.dynamodb.put_item(TableName=self._table, Item=item))

    def get(self, connection_id: str) -> Connection | None:
        answer = self._requests.send(
            lambda: self._clients.dynamodb.get_item(TableName=self._table, Key=_key(connection_id), ConsistentRead=True)
        )
        return _connection(answer["Item"]) if "Item" in answer else None

    def close(self, connection_id: str) -> Connection | None:
        answer = self._requests.send(
            lambda: self._clients.dynamodb.delete_item(
                TableName=self._table, Key=_key(connection_id), ReturnValues="ALL_OLD"
            )
        )
        return _connection(answer["Attributes"]) if answer.get("Attributes") else None

    def authenticate(self, connection_id: str) -> None:
        self._update(connection_id, "SET #authenticated = :true", _IS_OPEN, {":true": {"BOOL": True}})

    def claim_greeting(self, connection_id: str, *, now: int, stale_before: int) -> bool:
        # Nobody has greeted the connection.
        not_greeted = "attribute_not_exists(#greeted)"
        # Nobody is about to either, or whoever was has failed.
        nobody_greets = "(attribute_not_exists(#greeting_since) OR #greeting_since < :stale_before)"
        return self._update(
            connection_id,
            "SET #greeting_since = :now",
            f"{_IS_OPEN} AND {not_greeted} AND {nobody_greets}",
            {":now": number(now), ":stale_before": number(stale_before)},
        )

    def note_greeted(self, connection_id: str) -> None:
        self._update(connection_id, "SET #greeted = :true", _IS_OPEN, {":true": {"BOOL": True}})

    def add_run(self, connection_id: str, run_id: str, *, limit: int) -> None:
        # The connection follows fewer runs than it may, or this one already.
        has_place = "(attribute_not_exists(#run_ids) OR size(#run_ids) < :limit OR contains(#run_ids, :run_id))"
        values: Item = {":run": {"SS": [run_id]}, ":run_id": text(run_id), ":limit": number(limit)}
        if not self._update(connection_id, "ADD #run_ids :run", f"{_IS_OPEN} AND {has_place}", values):
            raise TooManyRuns(f"This connection follows {limit} runs already: open another one")

    def remove_run(self, connection_id: str, run_id: str) -> None:
        self._update(connection_id, "DELETE #run_ids :run", _IS_OPEN, {":run": {"SS": [run_id]}})

    def _update(self, connection_id: str, update: str, condition: str, values: Item) -> bool:
        """False if the condition fails."""
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.update_item(
                    TableName=self._table,
                    Key=_key(connection_id),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names(update, condition),
                    ExpressionAttributeValues=values,
                )
            )
        except ConditionFailed:
            return False
        return True


def _key(connection_id: str) -> Item:
    return {"connection_id": text(connection_id)}


def _connection(item: Mapping[str, Any]) -> Connection:
    return Connection(
        item["connection_id"]["S"],
        authenticated="authenticated" in item,
        greeted="greeted" in item,
        run_ids=frozenset(item["run_ids"]["SS"]) if "run_ids" in item else frozenset(),
    )
