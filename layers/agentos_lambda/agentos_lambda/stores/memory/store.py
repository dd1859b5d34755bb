"""All of ``runs.ports.Store`` under one lock. What is stored and what is handed out share no mutable value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agentos_lambda.protocol.values import Json, RunStatus
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.runs.errors import ClaimLost, Fenced, NotFound, RunExists, SessionTaken
from agentos_lambda.runs.model import (
    Ending,
    EventPack,
    IndexedEvent,
    RunRecord,
    Session,
    SessionDelta,
    StoredRun,
)
from agentos_lambda.runs.timing import RESEND_AFTER_MS
from agentos_lambda.runs.usage import day_of
from agentos_lambda.stores.memory.memories import MemoriesInMemory
from agentos_lambda.stores.memory.packs import Packs
from agentos_lambda.stores.memory.sessions import MemorySessions, StoredSession, copy_of, has_passed
from agentos_lambda.stores.past_sessions import PastSessionsByIndex
from agentos_lambda.stores.retention import FOREVER, Retention
from agentos_lambda.stores.rules import comes_into, due_at, ended, json_text, note_dropped, refusal, vouched_events
from agentos_lambda.usage.ports import RunUsage


class MemoryStore(MemorySessions):
    """Implements ``runs.ports.Store`` and ``sessions.ports.DeletionStore``. Events live for ``events_ttl_seconds``."""

    def __init__(
        self,
        *,
        events_ttl_seconds: int = 86_400,
        retention: Retention = FOREVER,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock or SystemClock(), retention)
        self._memories = MemoriesInMemory(self._lock)
        self._packs = Packs(self._clock, ttl_seconds=events_ttl_seconds)
        self.memories_of = self._memories.memories_of
        self.memory_count = self._memories.memory_count
        self.find_memory = self._memories.find_memory
        self.newest_memories = self._memories.newest_memories
        self.users_with_memories = self._memories.users_with_memories
        self.change_memories = self._memories.change_memories
        past = PastSessionsByIndex(self, self._first_runs)
        self.past_sessions = past.past_sessions
        self.past_session = past.past_session

    def records(self) -> list[RunRecord]:
        """Every record, oldest first: what the store holds, if anything."""
        with self._lock:
            return sorted(map(_copy, self._records.values()), key=lambda record: record.accepted_at)

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        written = json_text(work)
        with self._lock:
            there = self._records.setdefault(record.run_id, replace(record, seals=dict(record.seals)))
            if there.token != record.token:
                raise RunExists("The run id is in use.", _copy(there))
            self._works.setdefault(record.run_id, written)
            return _copy(there)

    def work(self, record: RunRecord) -> Json:
        with self._lock:
            return json.loads(self._works[record.run_id])

    def due(self, *, before: int) -> Sequence[Iterable[str]]:
        times = {record.run_id: due_at(record) or self._expiries.get(record.run_id) for record in self.records()}
        return [[run_id for run_id, time in times.items() if time is not None and time < before]]

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
        written = json_text(work)
        with self._lock:
            there = self._records.get(record.run_id)
            if there is not None and there.executor == executor:
                return _copy(there)
            if there is None or (there.status, there.attempt) != (RunStatus.PAUSED, record.attempt):
                raise ClaimLost("The run is not paused any more.", there and _copy(there))
            self._expiries.pop(record.run_id, None)
            if work is not None:
                self._works[record.run_id] = written
            reopened = replace(there, place=record.place, executor=executor, logged=logged, slices=0)
            if lease_until is None:
                queued = replace(reopened, status=RunStatus.PENDING, queued_at=now, sends=1, acknowledged_send=0)
                return self._put(replace(queued, next_send_at=now + RESEND_AFTER_MS))
            begun = replace(reopened, status=RunStatus.RUNNING, attempt=there.attempt + 1, tries=there.tries + 1)
            return self._put(replace(begun, lease_until=lease_until))

    def checkpoint(self, record: RunRecord, *, sequence: int, work: Json) -> None:
        written = json_text(work)
        with self._lock:
            there = self._records.get(record.run_id)
            if there is None or there.status is not RunStatus.RUNNING or not there.is_attempt_of(record):
                raise Fenced("The attempt is over.", there and _copy(there))
            checkpoint = record.attempt, sequence
            if checkpoint >= self._checkpoints.get(record.run_id, checkpoint):
                self._checkpoints[record.run_id] = checkpoint
                self._works[record.run_id] = written

    def note_send(self, record: RunRecord, *, next_send_at: int) -> RunRecord:
        with self._lock:
            there = self._records.get(record.run_id)
            if there is None or not _waits_as(there, record):
                raise ClaimLost("The run does not wait any more, or was just sent.", there and _copy(there))
            return self._put(replace(there, sends=there.sends + 1, next_send_at=next_send_at))

    def note_acknowledged(self, record: RunRecord, *, next_send_at: int | None = None) -> None:
        with self._lock:
            there = self._records.get(record.run_id)
            if there is not None and _waits_as(there, record):
                next_send_at = there.next_send_at if next_send_at is None else next_send_at
                self._put(replace(there, acknowledged_send=record.sends, next_send_at=next_send_at))

    def get(self, run_id: str) -> RunRecord | None:
        with self._lock:
            record = self._records.get(run_id)
            hidden = has_passed(self._expiries.get(run_id), self._clock.now())
            return None if record is None or hidden else _copy(record)

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        with self._lock:
            record = self._records.get(run_id)
            if record is None:
                raise ClaimLost("The run does not exist.", None)
            running = record.status is RunStatus.RUNNING
            if running and record.executor == executor:
                return _copy(record)
            expired = running and record.lease_until is not None and record.lease_until < expired_before
            if record.status is not RunStatus.PENDING and not expired:
                raise ClaimLost("The run has an executor or has ended.", _copy(record))
            logged = self._packs.last_index(run_id, record.attempt)
            seal = {record.attempt: logged} if expired and logged is not None else {}
            return self._put(
                replace(
                    record,
                    status=RunStatus.RUNNING,
                    attempt=record.attempt + 1,
                    tries=record.tries + 1,
                    executor=executor,
                    lease_until=lease_until,
                    next_send_at=None,
                    seals={**record.seals, **seal},
                )
            )

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        with self._lock:
            there = self._records.get(record.run_id)
            if there is None or there.status is not RunStatus.RUNNING or not there.is_attempt_of(record):
                raise Fenced("The attempt is over.", there and _copy(there))
            if lease_until < (there.lease_until or 0):
                return _copy(there)
            return self._put(replace(there, lease_until=lease_until, usage=record.usage))

    def flag_cancel(self, record: RunRecord, *, now: int) -> RunRecord:
        with self._lock:
            there = self._records.get(record.run_id)
            if there is None:
                raise NotFound("Run not found")
            is_same_stretch = (there.token, there.ended_at) == (record.token, record.ended_at)
            if there.status is not RunStatus.RUNNING or not is_same_stretch or there.cancel_requested:
                return _copy(there)
            return self._put(replace(there, cancel_requested_at=now))

    def commit(self, ending: Ending) -> RunRecord:
        return self._end(ending, in_session=True)

    def commit_without_session(self, ending: Ending) -> RunRecord:
        return self._end(ending, in_session=False)

    def note_told(self, record: RunRecord) -> None:
        with self._lock:
            there = self._records.get(record.run_id)
            if there is not None and there.token == record.token:
                self._put(replace(there, untold=False))

    def _end(self, ending: Ending, *, in_session: bool) -> RunRecord:
        before, pack = ending.before, ending.last_events
        handed_over = ending.status is RunStatus.PENDING
        work = json_text(ending.work)
        output = copy_of(ending.output)
        changes = SessionDelta(json.loads(json_text(ending.session.set)), ending.session.remove)
        events = None if pack is None else json_text(pack.events)
        with self._lock:
            record = self._records.get(before.run_id)
            if record and record.ending == ending.token:
                return _copy(record)
            refused = refusal(record and _copy(record), ending)
            if refused or record is None:
                raise refused or Fenced("The run does not exist.", None)
            session = self._entered(record, ending) if in_session and not handed_over else None
            until = self._expiries[record.run_id] = self._retention.of_run(ending.status, ending.ended_at)
            if session is not None:
                session.keep_until(self._retention.of_session(ending.ended_at))
                session.expiries[record.run_id] = until
                session.merge(changes)
                session.runs[record.accepted_at, record.run_id] = StoredRun(
                    record.run_id, record.kind, record.component_id, ending.status, record.accepted_at, output
                )
            if handed_over:
                self._works[record.run_id] = work
            unfit = self._memories.unfit(ending.memories)
            note_dropped(ending, unfit)
            fit = [change for change in ending.memories if change not in unfit]
            self._memories.apply(fit, now=ending.ended_at)
            if pack and events:
                self._packs.put(record.run_id, record.attempt, pack, events)
            return self._put(ended(record, ending, in_session=session is not None))

    def _entered(self, record: RunRecord, ending: Ending) -> StoredSession | None:
        """The session in which the run ends; None if it was deleted since the run was accepted."""
        if not comes_into(record, self._buried.get(record.session_id)):
            return None
        there = self._sessions.get(record.session_id)
        if there is None:
            begun = Session(
                record.session_id, record.kind, record.component_id, record.user_id, record.accepted_at, ending.ended_at
            )
            there = self._sessions[record.session_id] = StoredSession(begun)
        if there.head.user_id not in (None, record.user_id):
            raise SessionTaken("The session belongs to another user.")
        name = ending.title if there.head.name is None else there.head.name
        there.head = replace(there.head, updated_at=ending.ended_at, name=name)
        return there

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        events = json_text(pack.events)
        with self._lock:
            there = self._packs.length(run_id, attempt, pack.first_index)
            if there is None or there < len(pack.events):
                self._packs.put(run_id, attempt, pack, events)

    def read(self, record: RunRecord, *, after: int) -> Sequence[IndexedEvent]:
        with self._lock:
            packs = list(self._packs.of_run(record.run_id))
        return vouched_events(record, packs, after=after)

    def used_on(self, day: str, account: str | None) -> Iterator[RunUsage]:
        with self._lock:
            records = [*self._removed, *self._records.values()]
        for record in records:
            has_ended = record.ended_at is not None and day_of(record.accepted_at) == day
            if has_ended and account in (None, record.payer):
                yield RunUsage(record.payer, record.usage)

    def _put(self, record: RunRecord) -> RunRecord:
        self._records[record.run_id] = record
        return _copy(record)


def _waits_as(there: RunRecord, seen: RunRecord) -> bool:
    """Whether the run still waits, for the same thing and with the same last send."""
    return (there.status, there.queued_at, there.sends) == (RunStatus.PENDING, seen.queued_at, seen.sends)


def _copy(record: RunRecord) -> RunRecord:
    return replace(record, seals=dict(record.seals))
