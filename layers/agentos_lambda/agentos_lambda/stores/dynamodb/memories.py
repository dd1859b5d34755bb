"""The memories of users in DynamoDB.

A transaction has room for so many changes of memories. A run that changes more commits them as one value of the user's
item, the journal: whoever next reads or changes the user's memories applies it first. So the changes are visible all at
once, and no other run's memories are lost, whoever dies.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.memories import MAX_CHANGES, Memory, MemoryChange, MemoryOwner, by_user
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.memory_items import (
    BY_CHANGE,
    BY_ID,
    BY_TIME,
    MEMORY_SHARDS,
    USERS,
    is_user,
    memory_item,
    memory_key,
    memory_of,
    shard_of,
    user_key,
)
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_SETTLE_TRIES = 5
"""How often others may come first while a journal is applied."""

log = logging.getLogger(__name__)


class DynamoDBMemories:
    """Implements ``runs.ports.UserMemories`` and ``memories.ports.MemoryDirectory``, and the memories' part in a
    commit."""

    def __init__(self, table: Table, blobs: Blobs, requests: Requests, *, new_token: Callable[[], str]) -> None:
        """``new_token`` gives a unique text: it tells a write from somebody else's."""
        self._table = table
        self._blobs = blobs
        self._requests = requests
        self._new_token = new_token

    def memories_of(self, user_id: str) -> list[Memory]:
        for _ in range(_SETTLE_TRIES):
            items = list(self._table.query("#user_id = :user_id", {":user_id": text(user_id)}))
            user = next(filter(is_user, items), None)
            if user is None or "journal" not in user:
                self._remove_applied(user_id, user)
                return [memory_of(item) for item in items if not is_user(item)]
            self._settle(user_id, user, items)
        raise StoreUnavailable("The memories change too quickly.")

    def count(self, user_id: str) -> int:
        for _ in range(_SETTLE_TRIES):
            user = self._table.get(user_key(user_id))
            if user is None or "journal" not in user:
                self._remove_applied(user_id, user)
                return int(user["total"]["N"]) if user else 0
            self.memories_of(user_id)
        raise StoreUnavailable("The memories change too quickly.")

    def find(self, memory_id: str, user_id: str | None) -> Memory | None:
        for owner in [user_id] if user_id is not None else self._owners(memory_id):
            self.count(owner)
            item = self._table.get(memory_key(owner, memory_id))
            if item is not None:
                return memory_of(item)
        return None

    def newest(self, user_id: str | None, *, limit: int, ascending: bool = False) -> list[Memory]:
        if user_id is not None:
            self.count(user_id)  # applies a journal that waits
            found = self._newest(BY_TIME, "user_id", user_id, limit, ascending=ascending)
            return [memory_of(item) for item in found]
        shards = [
            memory_of(item)
            for shard in range(MEMORY_SHARDS)
            for item in self._newest(BY_CHANGE, "memory_shard", str(shard), limit, ascending=ascending)
        ]
        return sorted(shards, key=lambda memory: memory.updated_at, reverse=not ascending)[:limit]

    def users(self, *, limit: int) -> list[MemoryOwner]:
        found = [
            MemoryOwner(item["user_id"]["S"], int(item["total"]["N"]), int(item["changed_at"]["N"]))
            for shard in range(MEMORY_SHARDS)
            for item in self._newest(USERS, "users_shard", str(shard), limit, ascending=False)
        ]
        owners = [owner for owner in found if owner.total > 0]
        return sorted(owners, key=lambda owner: owner.changed_at, reverse=True)[:limit]

    def change(self, changes: Sequence[MemoryChange], *, now: int) -> bool:
        token, users = self._new_token(), by_user(changes)
        for user_id in users:
            self.count(user_id)
        if len(changes) > MAX_CHANGES:
            (user_id,) = users
            whole = self._whole_journal(user_id, changes, token, now)
            if whole is None:
                return False
            actions = [whole]
        else:
            actions = [action for action, _ in self.commit_actions(changes, token, now=now)]
        try:
            self._transact(actions, token)
        except TransactionRefused:
            return False
        return True

    def commit_actions(
        self, changes: Sequence[MemoryChange], token: str, *, now: int
    ) -> list[tuple[TransactWriteItemTypeDef, MemoryChange | None]]:
        """The actions of a transaction that make these changes, each with the change that it refuses if it fails.

        ``token`` tells this transaction from others.
        """
        actions: list[tuple[TransactWriteItemTypeDef, MemoryChange | None]] = []
        for user_id, own in by_user(changes).items():
            if len(changes) <= MAX_CHANGES:
                actions.append(({"Update": self._user_update(user_id, own, now, token)}, None))
                actions += [(self._action(change), change) for change in own]
            else:
                actions.append(({"Update": self._journal_update(user_id, own, token, now)}, None))
        return actions

    def settle(self, changes: Sequence[MemoryChange]) -> None:
        """Apply journals that block these changes."""
        for user_id in by_user(changes):
            self.count(user_id)

    def _newest(
        self, index: str, attribute: str, partition: str, limit: int, *, ascending: bool
    ) -> Iterator[Mapping[str, Any]]:
        values = {":partition": text(partition)}
        return self._table.first(limit, f"#{attribute} = :partition", values, index=index, newest_first=not ascending)

    def _owners(self, memory_id: str) -> list[str]:
        found = self._table.query("#memory_id = :memory_id", {":memory_id": text(memory_id)}, index=BY_ID)
        return [item["user_id"]["S"] for item in found]

    def _user_update(
        self, user_id: str, changes: Sequence[MemoryChange], now: int, token: str, *, journal: str | None = None
    ) -> Any:
        """The update of the user's item, with the token of its change; only while it has this ``journal``, if one is
        given."""
        update = (
            "SET #version = :version, #changed_at = :changed_at, #revision = :revision,"
            " #users_shard = if_not_exists(#users_shard, :shard) ADD #total :growth"
        )
        values: Item = {
            ":version": VERSION["version"],
            ":changed_at": number(now),
            ":revision": text(token),
            ":shard": shard_of(user_id),
            ":growth": number(sum(change.growth for change in changes)),
        }
        if journal is None:
            return self._table.update_action(user_key(user_id), update, None, values)
        values[":journal_token"] = text(journal)
        return self._table.update_action(user_key(user_id), update, "#journal_token = :journal_token", values)

    def _journal_update(self, user_id: str, changes: Sequence[MemoryChange], token: str, now: int) -> Any:
        request = self._user_update(user_id, (), now, token)
        request["UpdateExpression"] = request["UpdateExpression"].replace(
            " ADD", ", #journal = :journal, #journal_token = :journal_token ADD"
        )
        request["ExpressionAttributeNames"] |= {"#journal": "journal", "#journal_token": "journal_token"}
        request["ExpressionAttributeValues"] |= {
            # Not in the run's folder: it may be removed with its session before anybody has applied the journal.
            ":journal": self._blobs.attribute([change.to_json() for change in changes], f"memories/{token}"),
            ":journal_token": text(token),
        }
        # The journal of another run has been applied.
        return {**request, "ConditionExpression": "attribute_not_exists(#journal)"}

    def _whole_journal(
        self, user_id: str, changes: Sequence[MemoryChange], token: str, now: int
    ) -> TransactWriteItemTypeDef | None:
        """The action that makes all of these changes or none; None if one of them does not count any more."""
        user = self._table.get(user_key(user_id)) or {}
        there = {memory.memory_id: memory for memory in self.memories_of(user_id)}
        if not all(change.counts(there.get(change.memory_id)) for change in changes):
            return None
        update = self._journal_update(user_id, changes, token, now)
        # Nothing of the user has changed since they were looked at.
        if "revision" in user:
            update["ConditionExpression"] += " AND #revision = :seen"
            update["ExpressionAttributeValues"][":seen"] = user["revision"]
        else:
            update["ConditionExpression"] += " AND attribute_not_exists(#revision)"
        return {"Update": update}

    def _action(self, change: MemoryChange) -> TransactWriteItemTypeDef:
        # Nobody has changed the memory since: its newer text stays.
        is_as_seen = "attribute_not_exists(#revision)" if change.seen is None else "#revision = :seen"
        values = None if change.seen is None else {":seen": text(change.seen)}
        if change.memory is not None:
            put: Any = self._table.put_action(memory_item(change.memory), is_as_seen, values)
            return {"Put": put}
        delete: Any = self._table.delete_action(memory_key(change.user_id, change.memory_id), is_as_seen, values)
        return {"Delete": delete}

    def _settle(self, user_id: str, user: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> None:
        """Apply the user's journal, in steps that may be repeated: each demands that it is still there."""
        token = user["journal_token"]["S"]
        there = {item["item"]["S"]: memory_of(item) for item in items if not is_user(item)}
        try:
            value = self._blobs.value(user["journal"])
        except StoreUnavailable:
            if self._has_journal(user_id, token):
                raise
            return  # somebody else has applied it, and removed its object
        journal = [MemoryChange.from_json(each) for each in value]
        fit = []
        for change in journal:
            memory = there.get(memory_key(user_id, change.memory_id)["item"]["S"])
            if change.counts(memory):
                fit.append(change)
            elif memory != change.memory:  # else it is applied already
                log.warning("a memory keeps its newer text", extra={"memory_id": change.memory_id})
        now = int(user["changed_at"]["N"])
        try:
            for start in range(0, len(fit), MAX_CHANGES):
                step = fit[start : start + MAX_CHANGES]
                counted = self._user_update(user_id, step, now, token, journal=token)
                self._transact([{"Update": counted}, *map(self._action, step)], f"{token} {start}")
            self._end_journal(user_id, user)
        except (TransactionRefused, ConditionFailed):
            log.info("somebody else applies the same changes of memories")

    def _end_journal(self, user_id: str, user: Mapping[str, Any]) -> None:
        """Note that the journal has been applied. If it is an object, its key stays until that is removed."""
        update, values = "REMOVE #journal, #journal_token", {":journal_token": user["journal_token"]}
        if "S" in user["journal"]:
            update += " ADD #applied :applied"
            values[":applied"] = {"SS": [user["journal"]["S"]]}
        after = self._table.update(user_key(user_id), update, "#journal_token = :journal_token", values)
        self._remove_applied(user_id, after)

    def _remove_applied(self, user_id: str, user: Mapping[str, Any] | None) -> None:
        """Remove the objects of journals that have been applied. Whoever comes next tries again."""
        if user is None or "applied" not in user:
            return
        applied = user["applied"]
        try:
            self._blobs.delete(applied["SS"])
            # Not those that others have applied since.
            values: Item = {":applied": applied}
            self._table.update(user_key(user_id), "DELETE #applied :applied", "attribute_exists(#applied)", values)
        except StoreUnavailable:
            log.warning("applied changes of memories could not be removed")
        except ConditionFailed:
            log.info("somebody else removes the same changes of memories")

    def _has_journal(self, user_id: str, token: str) -> bool:
        user = self._table.get(user_key(user_id))
        return user is not None and user.get("journal_token") == text(token)

    def _transact(self, actions: Sequence[TransactWriteItemTypeDef], token: str) -> None:
        # Within ten minutes DynamoDB knows a transaction again by its token, and refuses the token for another one.
        request = hashlib.sha256(f"{token} {actions}".encode()).hexdigest()[:36]
        self._requests.send(
            lambda clients: clients.dynamodb.transact_write_items(TransactItems=actions, ClientRequestToken=request)
        )
