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
from agentos_lambda.stores.dynamodb.items import record_key
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.session_items import RUN, first_run_after, head_key, run_item_key
from agentos_lambda.stores.dynamodb.table import Table

_RECORD = "RECORD"


class DynamoDBRemains:
    """Implements ``sessions.ports.SessionRemains``."""

    def __init__(self, sessions: Table, runs: Table, events: Table, blobs: Blobs, clock: Clock) -> None:
        self._sessions = sessions
        self._runs = runs
        self._events = events
        self._blobs = blobs
        self._clock = clock

    def buried_runs(self, session_id: str, *, until: int, limit: int) -> Sequence[BuriedRun]:
        items = self._sessions.query(
            "#session_id = :session_id AND #item BETWEEN :first AND :last",
            {":session_id": text(session_id), ":first": text(RUN), ":last": text(first_run_after(until))},
            limits=[limit],
            attributes=("run_id", "accepted_at"),
        )
        return [BuriedRun(item["run_id"]["S"], int(item["accepted_at"]["N"])) for item in items]

    def remove_run(self, session_id: str, run: BuriedRun) -> bool:
        # Nobody waits for the run to be executed, or executes it.
        rests = "NOT #status IN (:pending, :running)"
        active: Item = {":pending": text(RunStatus.PENDING), ":running": text(RunStatus.RUNNING)}
        # It is this run, and not another one that has got its id since it expired.
        is_this = "#accepted_at = :accepted_at"
        condition = f"attribute_not_exists(#status) OR ({is_this} AND {rests})"
        try:
            self._runs.delete(record_key(run.run_id), condition, {**active, ":accepted_at": number(run.accepted_at)})
        except ConditionFailed as failure:
            if failure.item and failure.item.get("accepted_at") == number(run.accepted_at):
                return False
            self._sessions.delete(run_item_key(session_id, run.accepted_at, run.run_id))
            return True
        packs = self._keys(self._events, run.run_id, "pack")
        followers = self._keys(self._runs, run.run_id, "item")
        self._events.delete_many(packs)
        self._runs.delete_many(key for key in followers if key["item"] != text(_RECORD))
        for prefix in run_prefixes(run.run_id):
            self._blobs.remove(prefix)
        self._sessions.delete(run_item_key(session_id, run.accepted_at, run.run_id))
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
