"""Followers: items beside the record of their run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, attributes_of, fields_of, number, text
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.websocket.ports import CONNECTION_LIFETIME_MS, AlreadyFollows, Follower

PREFIX = "FOLLOWER#"
_IS_THIS_ONE = "#token = :token"
"""The connection has not ended this following (and perhaps begun another)."""


class DynamoDBFollowers:
    """Implements ``websocket.ports.FollowerStore``."""

    def __init__(self, table: Table) -> None:
        """``table`` is that of the runs."""
        self._table = table

    def put(self, follower: Follower, *, now: int, left_by: int | None = None) -> None:
        # The connection does not follow the run.
        is_new = "attribute_not_exists(#token)"
        # It does, by this very item: its writer got no answer.
        is_own = _IS_THIS_ONE
        # A handler that held it has died.
        is_abandoned = "#held_until <= :now"
        condition = f"{is_new} OR {is_own} OR {is_abandoned}"
        values = {":token": text(follower.token), ":now": number(now)}
        if left_by is not None:
            # An executor that had it has died before it sent the end of its attempt.
            condition, values[":left_by"] = f"{condition} OR #attempt <= :left_by", number(left_by)
        item = _item(follower, expires_at=(now + CONNECTION_LIFETIME_MS) // 1000)
        try:
            self._table.put(item, condition, values)
        except ConditionFailed:
            raise AlreadyFollows(f"This connection follows run {follower.run_id} already") from None

    def release(self, follower: Follower, *, next_index: int, attempt: int | None = None) -> Follower | None:
        # No other executor has taken it on since; and none has gone on with it and released it again.
        values, is_own = {":next_index": number(next_index)}, "attribute_not_exists(#attempt)"
        if attempt is not None:
            values, is_own = {**values, ":attempt": number(attempt)}, "#attempt = :attempt"
        update = "SET #next_index = :next_index REMOVE #held_until, #attempt"
        return self._update(follower, update, f"{is_own} AND #next_index <= :next_index", values)

    def take(self, follower: Follower, *, attempt: int) -> bool:
        # The executor of no later attempt has taken it on since.
        is_latest = "(attribute_not_exists(#attempt) OR #attempt <= :attempt)"
        return self._update(follower, "SET #attempt = :attempt", is_latest, {":attempt": number(attempt)}) is not None

    def remove(self, follower: Follower) -> bool:
        try:
            self._table.delete(_key_of(follower), _IS_THIS_ONE, {":token": text(follower.token)})
        except ConditionFailed as failure:
            # A deleted item has no token: nobody can tell whether an earlier try or somebody else removed it.
            if failure.in_doubt:
                raise StoreUnavailable("The store did not answer.") from failure
            return False
        return True

    def extend(self, run_id: str, connection_id: str, *, until: int | None) -> None:
        update = "REMOVE #until" if until is None else "SET #until = :until"
        values: Item = {} if until is None else {":until": number(until)}
        with suppress(ConditionFailed):  # it has ended, or its connection follows it no more
            self._table.update(_key(run_id, connection_id), update, "attribute_exists(#token)", values)

    def drop(self, run_id: str, connection_id: str) -> None:
        self._table.delete(_key(run_id, connection_id))

    def of_run(self, run_id: str) -> Sequence[Follower]:
        items = self._table.query(
            "#run_id = :run_id AND begins_with(#item, :prefix)", {":run_id": text(run_id), ":prefix": text(PREFIX)}
        )
        return [_follower(item) for item in items]

    def _update(self, follower: Follower, update: str, condition: str, values: Item) -> Follower | None:
        """The follower after the update; None if it is another one, or the condition fails."""
        values = {**values, ":token": text(follower.token)}
        try:
            item = self._table.update(_key_of(follower), update, f"{_IS_THIS_ONE} AND {condition}", values)
        except ConditionFailed:
            return None
        return _follower(item)


def _key_of(follower: Follower) -> Item:
    return _key(follower.run_id, follower.connection_id)


def _key(run_id: str, connection_id: str) -> Item:
    return {"run_id": text(run_id), "item": text(f"{PREFIX}{connection_id}")}


def _item(follower: Follower, *, expires_at: int) -> Item:
    attributes = attributes_of(follower)
    del attributes["connection_id"]  # the key has it
    return {**VERSION, **attributes, **_key_of(follower), "expires_at": number(expires_at)}


def _follower(item: Mapping[str, Any]) -> Follower:
    connection_id = text(item["item"]["S"].removeprefix(PREFIX))
    return Follower(**fields_of(Follower, {**item, "connection_id": connection_id}))
