"""Connections: one item each, which expires after the longest time that API Gateway keeps a connection open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from agentos_lambda.identity.authority import Grant
from agentos_lambda.runs.limits import Limits
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.websocket.ports import CONNECTION_LIFETIME_MS, Connection, TooManyRuns

_IS_NEW = "attribute_not_exists(#connection_id)"
_IS_OPEN = "attribute_exists(#connection_id)"

_UNAUTHENTICATED = text("yes")
"""The one partition of the index. API Gateway opens fewer connections a second than a partition takes writes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""
_COUNTS_LIVE_SECONDS = 600
"""Longer than anything is counted."""


class DynamoDBConnections:
    """Implements ``websocket.ports.ConnectionStore``."""

    def __init__(self, table: Table, *, new_token: Callable[[], str] = lambda: uuid4().hex) -> None:
        """``new_token`` gives a unique text: it tells a claim from somebody else's."""
        self._table = table
        self._new_token = new_token

    def open(self, connection_id: str, *, now: int, authenticate_by: int | None = None) -> None:
        item = {**VERSION, **_key(connection_id), "expires_at": number((now + CONNECTION_LIFETIME_MS) // 1000)}
        if authenticate_by is not None:
            item |= {"unauthenticated": _UNAUTHENTICATED, "authenticate_by": number(authenticate_by)}
        # API Gateway uses an id once: the item that is there was put by an earlier try, and may have changed since.
        with suppress(ConditionFailed):
            self._table.put(item, _IS_NEW)

    def get(self, connection_id: str) -> Connection | None:
        item = self._table.get(_key(connection_id))
        return _connection(item) if item else None

    def close(self, connection_id: str) -> Connection | None:
        # If the first answer is lost, the second try finds nothing. The connection's followers then stay until a post
        # to them fails, or they expire.
        item = self._table.delete(_key(connection_id))
        return _connection(item) if item else None

    def authenticate(self, connection_id: str, *, grant: Grant, now: int) -> None:
        # A request that was given up may arrive after that of a later message.
        is_newest = "(attribute_not_exists(#authenticated_at) OR #authenticated_at <= :now)"
        update = "SET #grant = :grant, #authenticated_at = :now REMOVE #unauthenticated, #authenticate_by"
        values: Item = {":grant": text(json.dumps(asdict(grant))), ":now": number(now)}
        self._update(connection_id, update, f"{_IS_OPEN} AND {is_newest}", values)

    def overdue(self, *, now: int) -> Iterator[str]:
        items = self._table.query(
            "#unauthenticated = :unauthenticated AND #authenticate_by <= :now",
            {":unauthenticated": _UNAUTHENTICATED, ":now": number(now)},
            index="unauthenticated",
        )
        return (item["connection_id"]["S"] for item in items)

    def expire(self, connection_id: str, *, now: int) -> None:
        with suppress(ConditionFailed):  # it has been closed, or has authenticated at the last moment
            self._table.delete(_key(connection_id), "#authenticate_by <= :now", {":now": number(now)})

    def count(self, source: str, *, now: int, limit: int) -> bool:
        token = text(self._new_token())
        # This very count was applied, but its answer was lost.
        is_own = "#counted = :counted"
        # There are fewer than the limit.
        has_place = "attribute_not_exists(#events) OR #events < :limit"
        values: Item = {
            ":one": number(1),
            ":limit": number(limit),
            ":counted": token,
            ":expires_at": number(now // 1000 + _COUNTS_LIVE_SECONDS),
        }
        try:
            self._table.update(
                # Beside the connections, whose ids have no such letter: a source has no use for a table of its own.
                _key(f"source#{source}"),
                "ADD #events :one SET #counted = :counted, #expires_at = :expires_at",
                f"({has_place}) AND NOT {is_own}",
                values,
            )
        except ConditionFailed as failure:
            return failure.item is not None and failure.item.get("counted") == token
        return True

    def claim_greeting(self, connection_id: str, *, now: int, stale_before: int) -> bool:
        # Nobody has greeted the connection.
        not_greeted = "attribute_not_exists(#greeted)"
        # Nobody is about to, or whoever was has failed.
        nobody_greets = "attribute_not_exists(#greeting_since) OR #greeting_since < :stale_before"
        # This very claim was applied, but its answer was lost.
        is_own = "#greeter = :greeter"
        return self._update(
            connection_id,
            "SET #greeting_since = :now, #greeter = :greeter",
            f"{_IS_OPEN} AND {not_greeted} AND ({nobody_greets} OR {is_own})",
            {":now": number(now), ":stale_before": number(stale_before), ":greeter": text(self._new_token())},
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
            self._table.update(_key(connection_id), update, condition, values)
        except ConditionFailed:
            return False
        return True


def _key(connection_id: str) -> Item:
    return {"connection_id": text(connection_id)}


def _grant(stored: str) -> Grant:
    fields = json.loads(stored)
    limits = fields.get("limits")
    return Grant(**{**fields, "scopes": tuple(fields["scopes"]), "limits": limits and Limits(**limits)})


def _connection(item: Mapping[str, Any]) -> Connection:
    return Connection(
        item["connection_id"]["S"],
        grant=_grant(item["grant"]["S"]) if "grant" in item else None,
        greeted="greeted" in item,
        run_ids=frozenset(item["run_ids"]["SS"]) if "run_ids" in item else frozenset(),
    )
