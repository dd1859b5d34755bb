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
from agentos_lambda.stores.dynamodb.items import record_key
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.session_items import RUN, first_run_after, head_key, run_item_key
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb.usage import kept_of


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
        if record is not None and record["accepted_at"] != number(run.accepted_at):
            # Another run has got its id since it expired.
            self._sessions.delete(run_item_key(session_id, run.accepted_at, run.run_id))
            return True
        if record is not None and not self._remove_record(run.run_id, record):
            return False
        packs = self._keys(self._events, run.run_id, "pack")
        followers = self._keys(self._runs, run.run_id, "item")
        self._events.delete_many(packs)
        self._runs.delete_many(key for key in followers if key["item"]["S"].startswith(FOLLOWER))
        for prefix in run_prefixes(run.run_id):
            self._blobs.remove(prefix)
        self._sessions.delete(run_item_key(session_id, run.accepted_at, run.run_id))
        return True

    def _remove_record(self, run_id: str, record: Mapping[str, Any]) -> bool:
        """Remove the record, unless the run is active; what it has used stays, in the same transaction."""
        if record["status"]["S"] in (RunStatus.PENDING, RunStatus.RUNNING):
            return False
        # Nobody has begun the run again, or changed what it has used.
        is_as_read = "#status = :status AND #attempt = :attempt AND #accepted_at = :accepted_at"
        values: Item = {f":{name}": record[name] for name in ("status", "attempt", "accepted_at")}
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
