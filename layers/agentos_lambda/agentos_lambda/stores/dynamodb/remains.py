"""What is left of deleted sessions, and its removal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.sessions.model import BuriedRun
from agentos_lambda.stores.dynamodb.attributes import Item, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs, media_folder, run_prefixes, session_prefix
from agentos_lambda.stores.dynamodb.expiry import is_expired
from agentos_lambda.stores.dynamodb.followers import PREFIX as FOLLOWER
from agentos_lambda.stores.dynamodb.items import due_shard, record_key
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.session_items import RUN, first_run_after, head_key, run_item_key
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb.usage import kept_of
from agentos_lambda.stores.rules import rounded_up

_LONG_AGO = number(0)
"""When a run has expired that is being removed."""


class DynamoDBRemains:
    """Implements ``sessions.ports.SessionRemains``."""

    def __init__(
        self, sessions: Table, runs: Table, events: Table, blobs: Blobs, *, requests: Requests, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._runs = runs
        self._events = events
        self._blobs = blobs
        self._requests = requests
        self._clock = clock

    def buried_runs(self, session_id: str, *, until: int, limit: int) -> Sequence[BuriedRun]:
        items = self._sessions.first(
            limit,
            "#session_id = :session_id AND #item BETWEEN :first AND :last",
            {":session_id": text(session_id), ":first": text(RUN), ":last": text(first_run_after(until))},
            attributes=("run_id", "accepted_at"),
        )
        return [BuriedRun(item["run_id"]["S"], int(item["accepted_at"]["N"])) for item in items]

    def remove_run(self, session_id: str, run: BuriedRun) -> bool:
        record = self._runs.get(record_key(run.run_id))
        # Without one, all else is gone. And another run may have got the id since.
        if record is not None and record["accepted_at"] == number(run.accepted_at):
            hidden = self._hidden(run.run_id, record)
            if hidden is None:
                return False
            self._remove_data(run.run_id)
            if not self._remove_record(run.run_id, hidden):
                return False
        self._sessions.delete(run_item_key(session_id, run.accepted_at, run.run_id))
        return True

    def _hidden(self, run_id: str, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The record, as one that has expired; None if the run is active, or begins again just now.

        It keeps its id from other runs until all else is gone. If this process dies before, the sweeper finds it.
        """
        if record["status"]["S"] in (RunStatus.PENDING, RunStatus.RUNNING):
            return None
        if record.get("retained_until") == _LONG_AGO:
            return record
        # Nobody has begun the run again. And whoever is about to has an attempt that is over.
        is_as_read, values = _is_as_read(record)
        update = "SET #attempt = #attempt + :one, #retained_until = :long_ago, #due_shard = :shard, #due_at = :now"
        values |= {
            ":one": number(1),
            ":long_ago": _LONG_AGO,
            ":shard": due_shard(run_id),
            ":now": number(rounded_up(self._clock.now())),
        }
        try:
            return self._runs.update(record_key(run_id), update, is_as_read, values)
        except ConditionFailed as failure:
            # The answer was lost, or another step was faster.
            there = failure.item
            return there if there and there.get("retained_until") == _LONG_AGO else None

    def _remove_data(self, run_id: str) -> None:
        packs = self._keys(self._events, run_id, "pack")
        followers = self._keys(self._runs, run_id, "item")
        self._events.delete_many(packs)
        self._runs.delete_many(key for key in followers if key["item"]["S"].startswith(FOLLOWER))
        for prefix in run_prefixes(run_id):
            self._blobs.remove(prefix)

    def _remove_record(self, run_id: str, record: Mapping[str, Any]) -> bool:
        """Remove the record; what it has used stays, in the same transaction."""
        is_as_read, values = _is_as_read(record)
        actions: list[Any] = [{"Delete": self._runs.delete_action(record_key(run_id), is_as_read, values)}]
        kept = kept_of(record)
        if kept is not None:
            actions.append({"Put": self._runs.put_action(kept)})
        try:
            self._requests.send(lambda clients: clients.dynamodb.transact_write_items(TransactItems=actions))
        except TransactionRefused as refused:
            return refused.item(0) is None  # another step was faster
        return True

    def remove_expired(self, run_id: str) -> bool:
        item = self._runs.get(record_key(run_id), "retained_until", "session_id", "accepted_at")
        if item is None or not is_expired(item, self._clock.now()):
            return False
        return self.remove_run(item["session_id"]["S"], BuriedRun(run_id, int(item["accepted_at"]["N"])))

    def remove_values(self, session_id: str, *, until: int, media: bool) -> None:
        prefix = session_prefix(session_id)
        self._blobs.remove(prefix, before=f"{prefix}{until + 1:013d}")
        if media:
            self._blobs.remove(media_folder(session_id))

    def close(self, session_id: str, *, deleted_at: int, expires_at: int) -> None:
        # Neither has a session begun since, nor has another deletion come, which has work of its own.
        is_same = "attribute_not_exists(#kind) AND #deleted_at = :deleted_at"
        values: Item = {":deleted_at": number(deleted_at), ":expires_at": number(expires_at // 1000)}
        try:
            self._sessions.update(head_key(session_id), "SET #expires_at = :expires_at", is_same, values)
        except ConditionFailed:
            return

    def _keys(self, table: Table, run_id: str, sort: str) -> Iterator[Item]:
        found: Iterator[Mapping[str, Any]] = table.query(
            "#run_id = :run_id", {":run_id": text(run_id)}, attributes=("run_id", sort)
        )
        return ({"run_id": item["run_id"], sort: item[sort]} for item in found)


def _is_as_read(record: Mapping[str, Any]) -> tuple[str, Item]:
    """The condition that nobody has begun the run again since its record was read, or another with its id; and its
    values."""
    condition = "#status = :status AND #attempt = :attempt AND #accepted_at = :accepted_at"
    return condition, {f":{name}": record[name] for name in ("status", "attempt", "accepted_at")}
