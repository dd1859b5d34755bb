"""Followers: items beside the record of their run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb.items import VERSION, Item, names, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests
from agentos_lambda.websocket.ports import CONNECTION_LIFETIME_MS, AlreadyFollows, Follower, Form

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

_PREFIX = "FOLLOWER#"
_IS_THIS_ONE = "#token = :token"
"""The connection has not ended this following, and begun another one perhaps."""


class _Page(TypedDict):
    ExclusiveStartKey: NotRequired[Item]


class DynamoDBFollowers:
    """Implements ``websocket.ports.FollowerStore``."""

    def __init__(self, table: str, clients: Clients, requests: Requests) -> None:
        """``table`` is that of the runs."""
        self._table = table
        self._clients = clients
        self._requests = requests

    def put(self, follower: Follower, *, now: int) -> None:
        # The connection does not follow the run.
        is_new = "attribute_not_exists(#token)"
        # It does by this very item: its writer had no answer.
        is_own = _IS_THIS_ONE
        # A handler that held it has died.
        is_abandoned = "#held_until <= :now"
        condition = f"{is_new} OR {is_own} OR {is_abandoned}"
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.put_item(
                    TableName=self._table,
                    Item=_item(follower, expires_at=(now + CONNECTION_LIFETIME_MS) // 1000),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names(condition),
                    ExpressionAttributeValues={":token": text(follower.token), ":now": number(now)},
                )
            )
        except ConditionFailed:
            raise AlreadyFollows(f"This connection follows run {follower.run_id} already") from None

    def release(self, follower: Follower, *, next_index: int) -> Follower | None:
        return self._update(
            follower, "SET #next_index = :next_index REMOVE #held_until", {":next_index": number(next_index)}
        )

    def take(self, follower: Follower, *, attempt: int) -> bool:
        return self._update(follower, "SET #attempt = :attempt", {":attempt": number(attempt)}) is not None

    def remove(self, follower: Follower) -> bool:
        try:
            self._requests.send(
                lambda: self._clients.dynamodb.delete_item(
                    TableName=self._table,
                    Key=_key(follower.run_id, follower.connection_id),
                    ConditionExpression=_IS_THIS_ONE,
                    ExpressionAttributeNames=names(_IS_THIS_ONE),
                    ExpressionAttributeValues={":token": text(follower.token)},
                )
            )
        except ConditionFailed:
            return False
        return True

    def drop(self, run_id: str, connection_id: str) -> None:
        key = _key(run_id, connection_id)
        self._requests.send(lambda: self._clients.dynamodb.delete_item(TableName=self._table, Key=key))

    def of_run(self, run_id: str) -> Sequence[Follower]:
        followers: list[Follower] = []
        page: _Page = {}
        while True:
            answer = self._query(run_id, page)
            followers += [_follower(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return followers
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _query(self, run_id: str, page: _Page) -> QueryOutputTypeDef:
        condition = "#run_id = :run_id AND begins_with(#item, :prefix)"
        return self._requests.send(
            lambda: self._clients.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names(condition),
                ExpressionAttributeValues={":run_id": text(run_id), ":prefix": text(_PREFIX)},
                ConsistentRead=True,
                **page,
            )
        )

    def _update(self, follower: Follower, update: str, values: Item) -> Follower | None:
        try:
            answer = self._requests.send(
                lambda: self._clients.dynamodb.update_item(
                    TableName=self._table,
                    Key=_key(follower.run_id, follower.connection_id),
                    UpdateExpression=update,
                    ConditionExpression=_IS_THIS_ONE,
                    ExpressionAttributeNames=names(update, _IS_THIS_ONE),
                    ExpressionAttributeValues={**values, ":token": text(follower.token)},
                    ReturnValues="ALL_NEW",
                )
            )
        except ConditionFailed:
            return None
        return _follower(answer["Attributes"])


def _key(run_id: str, connection_id: str) -> Item:
    return {"run_id": text(run_id), "item": text(f"{_PREFIX}{connection_id}")}


def _item(follower: Follower, *, expires_at: int) -> Item:
    item = {
        **VERSION,
        **_key(follower.run_id, follower.connection_id),
        "token": text(follower.token),
        "next_index": number(follower.next_index),
        "form": text(follower.form),
        "follower_expires_at": number(expires_at),
    }
    for name in ("attempt", "held_until"):
        value = getattr(follower, name)
        if value is not None:
            item[name] = number(value)
    return item


def _follower(item: Mapping[str, Any]) -> Follower:
    return Follower(
        run_id=item["run_id"]["S"],
        connection_id=item["item"]["S"].removeprefix(_PREFIX),
        token=item["token"]["S"],
        next_index=int(item["next_index"]["N"]),
        form=Form(item["form"]["S"]),
        attempt=int(item["attempt"]["N"]) if "attempt" in item else None,
        held_until=int(item["held_until"]["N"]) if "held_until" in item else None,
    )
