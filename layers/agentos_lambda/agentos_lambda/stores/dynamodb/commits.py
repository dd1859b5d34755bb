"""The one transaction that ends an attempt."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import Fenced, NotStorable, StoreUnavailable
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.model import Ending, RunRecord
from agentos_lambda.runs.timing import RESEND_AFTER_MS
from agentos_lambda.stores.dynamodb.attributes import Item, attributes_of, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.items import due_shard, record_key, record_of, usage_keys
from agentos_lambda.stores.dynamodb.memories import DynamoDBMemories
from agentos_lambda.stores.dynamodb.requests import ConditionFailed, Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.sessions import Sessions, may_come_into
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb.waiting import work_attribute
from agentos_lambda.stores.dynamodb_json import WrittenOnce
from agentos_lambda.stores.retention import Retention
from agentos_lambda.stores.rules import ended, note_dropped, refusal, rounded_up, start_of_log

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_RECORD = 0
_SESSION = 1
"""Places in the transaction: the record's update and the session's are the only ones with a condition."""

_MAX_RACES = 10
"""How many commits into the same session may overtake a commit before it gives up for now."""


_JOURNALS = 5
"""How many journals of other runs may block a commit."""


class Commits:
    """``commit``, ``commit_without_session`` and ``note_told`` of ``runs.ports.RunStore``."""

    def __init__(
        self,
        runs: Table,
        sessions: Sessions,
        memories: DynamoDBMemories,
        log: DynamoDBEventLog,
        *,
        blobs: Blobs,
        requests: Requests,
        retention: Retention,
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._memories = memories
        self._log = log
        self._blobs = blobs
        self._requests = requests
        self._retention = retention

    def commit(self, ending: Ending) -> RunRecord:
        return self._remembering(ending, in_session=ending.status is not RunStatus.PENDING)

    def commit_without_session(self, ending: Ending) -> RunRecord:
        return self._remembering(ending, in_session=False)

    def note_told(self, record: RunRecord) -> None:
        # It is the same run, and nobody has noted that before.
        is_untold = "#token = :token AND #untold = :yes"
        values: Item = {":token": text(record.token), ":yes": {"BOOL": True}, ":no": {"BOOL": False}}
        key = record_key(record.run_id)
        stays, expires = "attribute_not_exists(#retained_until)", "attribute_exists(#retained_until)"
        try:
            self._runs.update(key, "SET #untold = :no REMOVE #due_shard, #due_at", f"{is_untold} AND {stays}", values)
        except ConditionFailed:
            with suppress(ConditionFailed):
                update = "SET #untold = :no, #due_at = #retained_until"
                self._runs.update(key, update, f"{is_untold} AND {expires}", values)

    def _remembering(self, ending: Ending, *, in_session: bool) -> RunRecord:
        """Commit with the changes of memories that still count: a refusal drops at least one, or applies a journal."""
        for _ in range(len(ending.memories) + _JOURNALS):
            try:
                return self._commit(ending, in_session=in_session)
            except _MemoriesMoved as moved:
                note_dropped(ending, moved.changes)
                if not moved.changes:
                    self._memories.settle(ending.memories)
                kept = tuple(change for change in ending.memories if change not in moved.changes)
                ending = replace(ending, memories=kept)
        raise StoreUnavailable("The memories change too quickly.")

    def _commit(self, ending: Ending, *, in_session: bool) -> RunRecord:
        before, pack = ending.before, ending.last_events
        if before.status.final:
            raise Fenced("The run has ended.", before)
        handed_over = ending.status is RunStatus.PENDING
        record: TransactWriteItemTypeDef = {
            "Update": self._hand_over(ending) if handed_over else self._end_record(ending, in_session=in_session)
        }
        data: list[TransactWriteItemTypeDef] = []
        if in_session:
            data.append({"Put": self._sessions.run_action(ending)})
        if pack:
            data.append({"Put": self._log.put_action(before.run_id, before.attempt, pack, now=ending.ended_at)})
        try:
            if not in_session:
                self._send(ending, [record, *data])
            elif not self._send_with_session(ending, record, data):
                return self._commit(ending, in_session=False)
        except TransactionRefused as refused:
            return _own_or_raise(ending, refused)
        # A transaction returns no item. But its condition proves that the record was as its writer knows it, except for
        # the time of a cancel.
        return ended(before, ending, in_session=in_session)

    def _send_with_session(
        self, ending: Ending, record: TransactWriteItemTypeDef, data: list[TransactWriteItemTypeDef]
    ) -> bool:
        """Send the transaction with the session's update, which depends on how the session was read. False if that was
        deleted since the run was accepted.

        Raises ``TransactionRefused`` if the record refuses it.
        """
        session, move = ending.read.stored if ending.read is not None else None, False
        for _ in range(_MAX_RACES):
            if not may_come_into(ending.before, session):
                return False
            actions = self._sessions.session_actions(ending, session, move=move)
            try:
                self._send(ending, [record, *actions, *data])
            except TransactionRefused as refused:
                if refused.failed(_RECORD):
                    raise
                session = refused.item(_SESSION)  # it has changed since it was read
            except NotStorable:
                if move or not ending.session.set:
                    raise
                # Runs that ended at the same time may have filled the session's item together.
                session, move = self._sessions.head(ending.before.session_id), True
            else:
                return True
        raise StoreUnavailable("The session changes too quickly.")

    def _send(self, ending: Ending, others: list[TransactWriteItemTypeDef]) -> None:
        """Send the transaction with these actions, and what the run remembers.

        Raises ``TransactionRefused`` if one of these refuses it, ``_MemoriesMoved`` if only memories do.
        """
        remembered = self._memories.commit_actions(ending.memories, ending.token, now=ending.ended_at)
        actions = WrittenOnce([*others, *(action for action, _ in remembered)])
        token = _request_token(ending, actions)
        try:
            self._requests.send(
                lambda clients: clients.dynamodb.transact_write_items(TransactItems=actions, ClientRequestToken=token)
            )
        except TransactionRefused as refused:
            if any(map(refused.failed, range(len(others)))):
                raise
            moved = [change for place, (_, change) in enumerate(remembered, len(others)) if refused.failed(place)]
            raise _MemoriesMoved(tuple(change for change in moved if change is not None)) from None

    def _hand_over(self, ending: Ending) -> Any:
        condition, values = _may_end(ending)
        next_send_at = ending.ended_at + RESEND_AFTER_MS
        update = (
            "SET #status = :status, #ending = :ending, #work = :work, #logged = :yes"
            ", #slices = if_not_exists(#slices, :none) + :one, #queued_at = :now, #sends = :one"
            ", #acknowledged_send = :none, #next_send_at = :next_send_at, #due_at = :due_at, #usage = :usage"
        )
        aliases: dict[str, str] = {}
        values |= {
            ":status": text(ending.status),
            ":ending": text(ending.token),
            ":work": work_attribute(self._blobs, ending.before, ending.work),
            ":yes": {"BOOL": True},
            ":none": number(0),
            ":one": number(1),
            ":now": number(ending.ended_at),
            ":next_send_at": number(next_send_at),
            ":due_at": number(rounded_up(next_send_at)),
            ":usage": {"M": attributes_of(ending.usage)},
        }
        if ending.sealed_at is not None:
            update += ", #seals.#sealed = :sealed_at"
            aliases["#sealed"] = str(ending.before.attempt)
            values[":sealed_at"] = number(ending.sealed_at)
        key = record_key(ending.before.run_id)
        return self._runs.update_action(key, f"{update} REMOVE #lease_until", condition, values, aliases)

    def _end_record(self, ending: Ending, *, in_session: bool) -> Any:
        before = ending.before
        condition, values = _may_end(ending)
        update = "SET #status = :status, #ended_at = :ended_at, #ending = :ending, #in_session = :in_session"
        update += ", #usage = :usage, #account = :account, #usage_shard = :usage_shard"
        indexed = usage_keys(before)
        remove = "REMOVE #lease_until, #next_send_at, #active_session"
        aliases: dict[str, str] = {}
        values |= {
            ":status": text(ending.status),
            ":ended_at": number(ending.ended_at),
            ":ending": text(ending.token),
            ":in_session": {"BOOL": in_session},
            ":usage": {"M": attributes_of(ending.usage)},
            ":account": indexed["account"],
            ":usage_shard": indexed["usage_shard"],
        }
        if ending.sealed_at is not None:
            update += ", #seals.#sealed = :sealed_at"
            aliases["#sealed"] = str(before.attempt)
            values[":sealed_at"] = number(ending.sealed_at)
        if ending.withdrawn:
            update += ", #log_from = :log_from"
            values[":log_from"] = number(start_of_log(ending))
        if ending.error is None:
            remove += ", #error"
        else:
            update += ", #error = :error"
            values[":error"] = text(ending.error)
        until = self._retention.of_run(ending.status, ending.ended_at)
        if until is not None:
            # The sweeper removes it: DynamoDB would leave its objects, and take what it has used out of the bill.
            update += ", #retained_until = :until"
            values[":until"] = number(until)
        due = until
        if ending.untold:
            update += ", #untold = :untold"
            due, values[":untold"] = rounded_up(ending.ended_at), {"BOOL": True}
        if due is None:
            remove += ", #due_shard, #due_at"
        else:
            update += ", #due_shard = :due_shard, #due_at = :due_at"
            values |= {":due_at": number(due), ":due_shard": due_shard(before.run_id)}
        return self._runs.update_action(record_key(before.run_id), f"{update} {remove}", condition, values, aliases)


def _may_end(ending: Ending) -> tuple[str, Item]:
    """The condition that the attempt may be ended so, and its values."""
    before = ending.before
    # Nobody has taken the run over: the attempt is raised by whoever does. And no other run has its id by now.
    is_same_attempt = "#attempt = :attempt AND #token = :token"
    # The attempt has not been ended; a run that waits was not claimed, a paused one not cancelled: those have no
    # executor, so their status is the fence.
    is_same_status = "#status = :before"
    # Nobody was told that the run will be cancelled.
    no_cancel = "attribute_not_exists(#cancel_requested_at)"
    condition = f"{is_same_attempt} AND {is_same_status}"
    if ending.status is not RunStatus.CANCELLED:
        condition = f"{condition} AND {no_cancel}"
    values = {":attempt": number(before.attempt), ":token": text(before.token), ":before": text(before.status)}
    return condition, values


class _MemoriesMoved(Exception):
    """Somebody else has changed the memories of these changes; none: has left a journal of their user."""

    def __init__(self, changes: tuple[MemoryChange, ...]) -> None:
        super().__init__("The memories have changed.")
        self.changes = changes


def _own_or_raise(ending: Ending, refused: TransactionRefused) -> RunRecord:
    item = refused.item(_RECORD)
    there = record_of(item) if item else None
    # The transaction was applied, but its answer was lost.
    if there and there.ending == ending.token:
        return there
    raise refusal(there, ending) or StoreUnavailable("The store refused the result.") from None


def _request_token(ending: Ending, actions: WrittenOnce) -> str:
    # DynamoDB remembers the token of a transaction for ten minutes and refuses it for another request. The same ending
    # may come again as another one (without the session, with another status), so the request is part of it.
    return hashlib.blake2b(f"{ending.token} {actions.json}".encode(), digest_size=18).hexdigest()
