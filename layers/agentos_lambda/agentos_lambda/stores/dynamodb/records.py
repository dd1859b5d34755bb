"""The records of runs: one conditional write for each step of a run's life but its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from uuid import uuid4

from agentos_lambda.protocol.values import Json, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import ClaimLost, Fenced, NotFound, RunExists
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.dynamodb.attributes import Item, attributes_of, number, text
from agentos_lambda.stores.dynamodb.blobs import Blobs
from agentos_lambda.stores.dynamodb.event_log import DynamoDBEventLog
from agentos_lambda.stores.dynamodb.expiry import is_expired
from agentos_lambda.stores.dynamodb.items import (
    DUE_INDEX,
    DUE_SHARDS,
    active_keys,
    record_item,
    record_key,
    record_of,
)
from agentos_lambda.stores.dynamodb.requests import ConditionFailed
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb.waiting import begun_again, is_dead, queued_again, waits_as, work_attribute
from agentos_lambda.stores.rules import rounded_up


class RunRecords:
    """``accept`` to ``flag_cancel`` of ``runs.ports.RunStore``."""

    def __init__(
        self,
        table: Table,
        blobs: Blobs,
        log: DynamoDBEventLog,
        clock: Clock,
        *,
        new_token: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        """``new_token`` gives a unique text: it tells a send from somebody else's."""
        self._table = table
        self._blobs = blobs
        self._log = log
        self._clock = clock
        self._new_token = new_token

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        given = {} if work is None else {"work": work_attribute(self._blobs, record, work)}
        item = {**record_item(record), **given}
        # Nobody has accepted a run with this id.
        is_new = "attribute_not_exists(#run_id)"
        try:
            self._table.put(item, is_new)
        except ConditionFailed as failure:
            there = _record(failure)
            # The record was accepted, but the answer was lost. The run may have gone on since.
            if there and there.token == record.token:
                return there
            raise RunExists("The run id is in use.", there) from None
        return record

    def get(self, run_id: str) -> RunRecord | None:
        item = self._table.get(record_key(run_id))
        return record_of(item) if item and not is_expired(item, self._clock.now()) else None

    def work(self, record: RunRecord) -> Json:
        item = self._table.get(record_key(record.run_id), "work")
        return self._blobs.value(item["work"]) if item else None

    def due(self, *, before: int) -> Sequence[Iterable[str]]:
        return [self._due_in(str(shard), before) for shard in range(DUE_SHARDS)]

    def _due_in(self, shard: str, before: int) -> Iterator[str]:
        # One page, the longest overdue first: 1 MB, thousands of runs, more than a sweep has time for.
        items = self._table.query(
            "#due_shard = :shard AND #due_at < :before",
            {":shard": text(shard), ":before": number(before)},
            index=DUE_INDEX,
            limits=[None],
        )
        yield from (item["run_id"]["S"] for item in items)

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        claim: Item = {
            ":executor": text(executor),
            ":lease_until": number(lease_until),
            ":due_at": number(rounded_up(lease_until)),
        }
        try:
            return self._claim_pending(run_id, claim)
        except ConditionFailed as failure:
            there = _record(failure)
        if there and is_dead(there, expired_before) and there.executor != executor:
            try:
                return self._claim_expired(there, claim, expired_before)
            except ConditionFailed as failure:
                there = _record(failure)
        # The claim was applied, but its answer was lost.
        if there and there.status is RunStatus.RUNNING and there.executor == executor:
            return there
        raise ClaimLost("The run has an executor, has ended, or does not exist.", there)

    def _claim_pending(self, run_id: str, claim: Item) -> RunRecord:
        # The run was accepted, and neither claimed nor cancelled since.
        waits = "#status = :pending"
        return self._update(
            run_id,
            f"{_CLAIM}, #attempt = #attempt + :one REMOVE #next_send_at",
            waits,
            {**claim, ":one": number(1), ":running": text(RunStatus.RUNNING), ":pending": text(RunStatus.PENDING)},
        )

    def _claim_expired(self, dead: RunRecord, claim: Item, expired_before: int) -> RunRecord:
        logged = self._log.last_index(dead.run_id, dead.attempt)
        # Nobody has claimed the run since its log was read: the seal is that of the attempt that it is written for.
        is_same_attempt = "#attempt = :dead_attempt"
        # The attempt has not ended.
        runs = "#status = :running"
        # Its executor has not renewed its lease either.
        has_expired = "#lease_until < :expired_before"
        values = {
            **claim,
            ":one": number(1),
            ":running": text(RunStatus.RUNNING),
            ":dead_attempt": number(dead.attempt),
            ":attempt": number(dead.attempt + 1),
            ":expired_before": number(expired_before),
        }
        update, seal = f"{_CLAIM}, #attempt = :attempt", {}
        if logged is not None:
            update, seal = f"{update}, #seals.#dead = :logged", {"#dead": str(dead.attempt)}
            values[":logged"] = number(logged)
        return self._update(dead.run_id, update, f"{is_same_attempt} AND {runs} AND {has_expired}", values, seal)

    def reopen(
        self,
        record: RunRecord,
        *,
        executor: str,
        now: int,
        lease_until: int | None,
        logged: bool = True,
        work: Json = None,
    ) -> RunRecord:
        # Nobody has continued or cancelled the run since it was read: both change its status.
        is_same_attempt = "#attempt = :attempt"
        is_paused = "#status = :paused"
        condition = f"{is_same_attempt} AND {is_paused}"
        update, values = queued_again(now) if lease_until is None else begun_again(lease_until)
        active = active_keys(record)
        values |= {
            ":attempt": number(record.attempt),
            ":paused": text(RunStatus.PAUSED),
            ":executor": text(executor),
            ":due_shard": active["due_shard"],
            ":active_session": active["active_session"],
            ":logged": {"BOOL": logged},
            ":one": number(1),
            ":none": number(0),
        }
        if work is not None:
            update += ", #work = :work"
            values |= {":work": work_attribute(self._blobs, record, work)}
        if record.place is not None:
            update += ", #place = :place"
            values |= {":place": number(record.place)}
        active_runs_stay = " REMOVE #retained_until"
        try:
            return self._update(record.run_id, update + active_runs_stay, condition, values)
        except ConditionFailed as failure:
            there = _record(failure)
            # The reopening was applied, but its answer was lost.
            if there and there.executor == executor:
                return there
            raise ClaimLost("The run is not paused any more.", there) from None

    def note_send(self, record: RunRecord, *, next_send_at: int) -> RunRecord:
        sender = text(self._new_token())
        waits, values = waits_as(record)
        values |= {
            ":next": number(record.sends + 1),
            ":sender": sender,
            ":next_send_at": number(next_send_at),
            ":due_at": number(rounded_up(next_send_at)),
        }
        update = "SET #sends = :next, #sender = :sender, #next_send_at = :next_send_at, #due_at = :due_at"
        try:
            return self._update(record.run_id, update, waits, values)
        except ConditionFailed as failure:
            there = _record(failure)
            # The send was counted, but the answer was lost.
            if there and failure.item and failure.item.get("sender") == sender:
                return there
            raise ClaimLost("The run does not wait any more, or was just sent.", there) from None

    def note_acknowledged(self, record: RunRecord, *, next_send_at: int | None = None) -> None:
        waits, values = waits_as(record)
        values |= {":acknowledged": number(record.sends)}
        update = "SET #acknowledged_send = :acknowledged"
        if next_send_at is not None:
            update += ", #next_send_at = :next_send_at, #due_at = :due_at"
            values |= {":next_send_at": number(next_send_at), ":due_at": number(rounded_up(next_send_at))}
        # A worker may have been faster; and where an answer is lost, the second time changes nothing.
        with suppress(ConditionFailed):
            self._update(record.run_id, update, waits, values)

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        # Nobody has taken the run over, and the attempt has not ended, by this executor or by a sweep.
        runs_here, own = _runs_here(record)
        # A request that was given up may arrive after that of a later renewal.
        is_newest = "(attribute_not_exists(#lease_until) OR #lease_until <= :lease_until)"
        try:
            return self._update(
                record.run_id,
                # In most renewals ``due_at`` is what it was: then the index is not written.
                "SET #lease_until = :lease_until, #due_at = :due_at, #usage = :usage",
                f"{runs_here} AND {is_newest}",
                {
                    ":lease_until": number(lease_until),
                    ":due_at": number(rounded_up(lease_until)),
                    ":usage": {"M": attributes_of(record.usage)},
                    **own,
                },
            )
        except ConditionFailed as failure:
            return _running_as(record, failure)

    def checkpoint(self, record: RunRecord, *, sequence: int, work: Json) -> None:
        # Nobody has taken the run over, and the attempt has not ended.
        runs_here, own = _runs_here(record)
        # A request that was given up may arrive after that of a later checkpoint.
        is_newest = "(attribute_not_exists(#checkpoint) OR #checkpoint <= :checkpoint)"
        values: Item = {
            ":work": work_attribute(self._blobs, record, work),
            ":checkpoint": text(f"{record.attempt:06d}/{sequence:06d}"),
            **own,
        }
        update = "SET #work = :work, #checkpoint = :checkpoint"
        try:
            self._update(record.run_id, update, f"{runs_here} AND {is_newest}", values)
        except ConditionFailed as failure:
            _running_as(record, failure)

    def flag_cancel(self, record: RunRecord, *, now: int) -> RunRecord:
        # The run was claimed and has not ended: any other needs no flag to be cancelled, or cannot be.
        runs = "#status = :running"
        # A request that was given up may arrive when the run has paused and was continued, or another one has its id.
        is_same_stretch = "#token = :token AND attribute_not_exists(#ended_at)"
        values = {":now": number(now), ":running": text(RunStatus.RUNNING), ":token": text(record.token)}
        if record.ended_at is not None:
            is_same_stretch = "#token = :token AND #ended_at = :ended_at"
            values[":ended_at"] = number(record.ended_at)
        try:
            return self._update(
                record.run_id,
                "SET #cancel_requested_at = if_not_exists(#cancel_requested_at, :now)",
                f"{runs} AND {is_same_stretch}",
                values,
            )
        except ConditionFailed as failure:
            there = _record(failure)
            if there is None:
                raise NotFound("Run not found") from None
            return there

    def _update(
        self, run_id: str, update: str, condition: str, values: Item, aliases: dict[str, str] | None = None
    ) -> RunRecord:
        return record_of(self._table.update(record_key(run_id), update, condition, values, aliases))


_CLAIM = (
    "SET #status = :running, #executor = :executor, #lease_until = :lease_until, #due_at = :due_at"
    ", #tries = #tries + :one"
)


def _record(failure: ConditionFailed) -> RunRecord | None:
    return record_of(failure.item) if failure.item else None


def _runs_here(record: RunRecord) -> tuple[str, Item]:
    """The condition that the attempt has not ended, and that no other run has its id by now; and its values."""
    condition = "#attempt = :attempt AND #token = :token AND #status = :running"
    return condition, {
        ":attempt": number(record.attempt),
        ":token": text(record.token),
        ":running": text(RunStatus.RUNNING),
    }


def _running_as(record: RunRecord, failure: ConditionFailed) -> RunRecord:
    """The record that refused a late write of its own attempt. Raises ``Fenced`` if that attempt is over."""
    there = _record(failure)
    if there is None or there.status is not RunStatus.RUNNING or not there.is_attempt_of(record):
        raise Fenced("The attempt is over.", there) from None
    return there
