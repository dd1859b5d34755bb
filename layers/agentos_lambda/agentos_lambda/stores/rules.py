"""Rules that every store shares, as functions of values: who may end a run, and which events count."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from dataclasses import replace

from agentos_lambda.protocol.values import Json, RunStatus
from agentos_lambda.runs.errors import CancelWins, Fenced, LostRace, NotStorable
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.model import Ending, EventPack, IndexedEvent, RunRecord
from agentos_lambda.runs.timing import DUE_STEP_MS, RESEND_AFTER_MS
from agentos_lambda.sessions.model import SessionEntry

log = logging.getLogger(__name__)

NOTHING = -1
"""The end of a log in which no event counts."""


# A circle is a recursion without end: to look for one takes a fifth of the whole.
_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def json_text(value: Json) -> str:
    """The value as JSON. Raises ``NotStorable`` if it is not JSON."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotStorable("The result is not JSON.") from error


def due_at(record: RunRecord) -> int | None:
    """When a sweep has to look at the run; None if it never has to."""
    match record.status:
        case RunStatus.RUNNING:
            return rounded_up(record.lease_until or record.accepted_at)
        case RunStatus.PENDING:
            return rounded_up(record.next_send_at or record.queued_at or record.accepted_at)
        case _ if record.untold and record.ended_at is not None:
            return rounded_up(record.ended_at)
        case _:
            return None


def rounded_up(time: int) -> int:
    """The first multiple of ``DUE_STEP_MS`` that is not before this time."""
    return -(-time // DUE_STEP_MS) * DUE_STEP_MS


def refusal(record: RunRecord | None, ending: Ending) -> LostRace | None:
    """Why the record refuses the ending; None if it accepts it."""
    before = ending.before
    if record is None:
        return Fenced("The run does not exist.", None)
    if record.status.final or record.status is not before.status or not record.is_attempt_of(before):
        return Fenced("The attempt is over.", record)
    if record.cancel_requested and ending.status is not RunStatus.CANCELLED:
        return CancelWins("The run's cancel was requested.", record)
    return None


def comes_into(run: RunRecord, deleted_at: int | None) -> bool:
    """Whether the run may come into its session, if one of this id was last deleted at this time."""
    return deleted_at is None or deleted_at < run.accepted_at


def ended(record: RunRecord, ending: Ending, *, in_session: bool) -> RunRecord:
    """The record after the ending."""
    seal = {} if ending.sealed_at is None else {record.attempt: ending.sealed_at}
    if ending.status is RunStatus.PENDING:
        return replace(
            record,
            status=ending.status,
            ending=ending.token,
            seals={**record.seals, **seal},
            lease_until=None,
            logged=True,
            slices=record.slices + 1,
            queued_at=ending.ended_at,
            sends=1,
            acknowledged_send=0,
            next_send_at=ending.ended_at + RESEND_AFTER_MS,
            usage=ending.usage,
        )
    return replace(
        record,
        status=ending.status,
        ended_at=ending.ended_at,
        ending=ending.token,
        error=ending.error,
        seals={**record.seals, **seal},
        lease_until=None,
        next_send_at=None,
        in_session=in_session,
        log_from=start_of_log(ending),
        untold=ending.untold,
        account=record.payer,
        usage=ending.usage,
    )


def note_dropped(ending: Ending, changes: Iterable[MemoryChange]) -> None:
    """Log the changes that are not committed, because somebody else has changed the same memories."""
    for change in changes:
        extra = {"run_id": ending.before.run_id, "memory_id": change.memory_id}
        log.warning("a memory keeps its newer text: what the run made of it is dropped", extra=extra)


def start_of_log(ending: Ending) -> int:
    """The first index that the log may serve after the ending."""
    if ending.withdrawn and ending.last_events is not None:
        return ending.last_events.first_index
    return ending.before.log_from


def end_of_log(record: RunRecord, attempt: int) -> int:
    """The last index of the attempt that the record vouches for; ``NOTHING`` if it vouches for none."""
    if attempt in record.seals:
        return record.seals[attempt]
    if attempt == record.attempt and record.status is RunStatus.RUNNING:
        return sys.maxsize
    return NOTHING


def vouched_events(record: RunRecord, packs: Iterable[tuple[int, EventPack]], *, after: int) -> list[IndexedEvent]:
    """The events over ``after`` that the record vouches for, of (attempt, pack) pairs in the order of their keys."""
    events: list[IndexedEvent] = []
    last = max(after, record.log_from - 1)
    for attempt, pack in packs:
        end = end_of_log(record, attempt)
        for index, event in enumerate(pack.events, start=pack.first_index):
            if last < index <= end:
                events.append(IndexedEvent(index, event))
                last = index
    return events


def first_entries(entries: Iterable[SessionEntry], *, limit: int, ascending: bool) -> list[SessionEntry]:
    """The first of these in the order of creation, or of its reverse. Those of one time stay in the order in which they
    come, however many are wanted: pages neither share nor skip one."""
    return sorted(entries, key=lambda entry: entry.created_at, reverse=not ascending)[:limit]
