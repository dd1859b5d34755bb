"""The sessions of the memory store, and what requests do with them. What is handed out shares no mutable value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import SessionExists
from agentos_lambda.runs.model import RunOutput, RunRecord, Session, SessionDelta, StoredRun
from agentos_lambda.sessions.model import BuriedRun, SessionEntry, SessionFilter
from agentos_lambda.stores.memory.packs import Packs
from agentos_lambda.stores.retention import Retention
from agentos_lambda.stores.rules import first_entries, json_text


@dataclass(slots=True)
class StoredSession:
    """A session: its head without fields and runs, and these beside it."""

    head: Session
    fields: dict[str, str] = field(default_factory=dict)
    runs: dict[tuple[int, str], StoredRun] = field(default_factory=dict)
    expiries: dict[str, int | None] = field(default_factory=dict)
    """When its runs expire."""
    look_at: int | None = None
    """When a sweep has to look at it."""

    def merge(self, changes: SessionDelta) -> None:
        for name in changes.remove:
            self.fields.pop(name, None)
        self.fields.update({name: json_text(value) for name, value in changes.set.items()})

    def read(self) -> Session:
        """Without runs."""
        return replace(self.head, fields={name: json.loads(text) for name, text in self.fields.items()})

    def all_runs(self, now: int) -> list[StoredRun]:
        """Oldest first, without those that have expired."""
        return [
            replace(run, output=copy_of(run.output))
            for _, run in sorted(self.runs.items())
            if not has_passed(self.expiries[run.run_id], now)
        ]

    def runs_of(self, kind: Kind, component_id: str, now: int) -> list[StoredRun]:
        return [run for run in self.all_runs(now) if (run.kind, run.component_id) == (kind, component_id)]

    def keep_until(self, time: int | None) -> None:
        """It has been written to, and expires at this time."""
        self.head = replace(self.head, expires_at=time)
        self.look_at = None if time is None else self.look_at or time


class MemorySessions:
    """Implements ``sessions.ports.SessionDirectory`` and ``SessionRemains``."""

    def __init__(self, clock: Clock, retention: Retention) -> None:
        self._clock = clock
        self._retention = retention
        self._lock = Lock()
        self._records: dict[str, RunRecord] = {}
        self._removed: list[RunRecord] = []
        """What runs of deleted sessions have used stays."""
        self._works: dict[str, str] = {}
        self._checkpoints: dict[str, tuple[int, int]] = {}
        self._expiries: dict[str, int | None] = {}
        """Run id -> when its record expires."""
        self._packs: Packs
        self._sessions: dict[str, StoredSession] = {}
        self._buried: dict[str, int] = {}
        """Session id -> when a session of this id was last deleted."""
        self._remains: dict[str, list[BuriedRun]] = {}

    def create(self, session: Session) -> None:
        stored = StoredSession(replace(session, fields={}, runs=()))
        stored.merge(SessionDelta(session.fields))
        stored.keep_until(self._retention.of_session(session.updated_at))
        with self._lock:
            if self._sessions.setdefault(session.session_id, stored) is not stored:
                raise SessionExists("The session's id is taken.")

    def output(self, record: RunRecord) -> RunOutput | None:
        if not record.in_session:
            return None
        with self._lock:
            session = self._sessions.get(record.session_id)
            run = session and session.runs.get((record.accepted_at, record.run_id))
            return copy_of(run.output) if run else None

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int | None) -> Session | None:
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                return None
            if history is None:
                return session.head
            completed = [
                run
                for run in session.runs_of(kind, component_id, self._clock.now())
                if run.status is RunStatus.COMPLETED
            ]
            return replace(session.read(), runs=tuple(completed[-history:] if history else ()))

    def list_runs(
        self,
        session_id: str,
        *,
        kind: Kind,
        component_id: str,
        status: RunStatus | None = None,
        user_id: str | None = None,
        after: int | None = None,
        skip: int = 0,
    ) -> Iterator[StoredRun]:
        with self._lock:
            session = self._sessions.get(session_id)
            runs = session.runs_of(kind, component_id, self._clock.now()) if session else []
            seen = [
                run
                for run in runs
                if status in (None, run.status)
                and Caller(user_id).may_read(self._records[run.run_id].user_id)
                and (after is None or run.accepted_at > after)
            ]
        return iter(seen[skip:])

    def _first_runs(self, session: Session, limit: int) -> list[StoredRun]:
        with self._lock:
            there = self._sessions.get(session.session_id)
            first = there.all_runs(self._clock.now())[:limit] if there is not None else []
            return [run for run in first if self._records[run.run_id].user_id == session.user_id]

    def find(self, session_id: str) -> Session | None:
        with self._lock:
            session = self._living(session_id)
            return None if session is None else session.read()

    def bare(self, session_id: str, *, expired: bool = False) -> Session | None:
        with self._lock:
            session = self._sessions.get(session_id) if expired else self._living(session_id)
            return None if session is None else session.head

    def whole(self, session_id: str) -> Session | None:
        with self._lock:
            session = self._living(session_id)
            if session is None:
                return None
            return replace(session.read(), runs=tuple(session.all_runs(self._clock.now())))

    def change(self, session: Session, changes: SessionDelta, *, name: str | None, now: int) -> Session | None:
        with self._lock:
            there = self._as_read(session)
            if there is None:
                return None
            there.merge(changes)
            there.head = replace(there.head, updated_at=now, name=there.head.name if name is None else name)
            there.keep_until(self._retention.of_session(now))
            return there.read()

    def entries(self, chosen: SessionFilter, *, limit: int, ascending: bool = False) -> Sequence[SessionEntry]:
        with self._lock:
            heads = [session.head for session in self._sessions.values() if _is_chosen(session.head, chosen)]
        found = [
            SessionEntry(head.session_id, head.kind, head.component_id, head.user_id, head.created_at, head.name)
            for head in heads
        ]
        return first_entries(found, limit=limit, ascending=ascending)

    def count(self, chosen: SessionFilter) -> int:
        with self._lock:
            return sum(_is_chosen(session.head, chosen) for session in self._sessions.values())

    def heads(self, session_ids: Sequence[str]) -> Sequence[Session]:
        with self._lock:
            found = [self._living(each) for each in session_ids]
            return [session.read() for session in found if session is not None]

    def bury(self, session_id: str, session: Session | None, *, now: int) -> bool:
        with self._lock:
            there = self._sessions.get(session_id)
            if (there is None) != (session is None) or (session is not None and not self._may_bury(session, now)):
                return False
            self._sessions.pop(session_id, None)
            self._buried[session_id] = now
            if there is not None:
                runs = [BuriedRun(run_id, accepted_at) for accepted_at, run_id in there.runs]
                self._remains[session_id] = [*self._remains.get(session_id, ()), *runs]
            return True

    def active_runs(self, session_id: str) -> Sequence[str]:
        with self._lock:
            records = list(self._records.values())
        return [record.run_id for record in records if record.session_id == session_id and record.status.active]

    def expiring(self, *, before: int, limit: int) -> Sequence[Session]:
        with self._lock:
            due = [each for each in self._sessions.values() if each.look_at is not None and each.look_at < before]
            return [each.head for each in sorted(due, key=lambda each: each.look_at or 0)][:limit]

    def look_again(self, session: Session, *, at: int) -> None:
        with self._lock:
            there = self._sessions.get(session.session_id)
            if there is not None and there.look_at is not None:
                there.look_at = at

    def buried_runs(self, session_id: str, *, until: int, limit: int) -> Sequence[BuriedRun]:
        with self._lock:
            runs = sorted(self._remains.get(session_id, ()), key=lambda run: (run.accepted_at, run.run_id))
            return [run for run in runs if run.accepted_at <= until][:limit]

    def remove_run(self, session_id: str, run: BuriedRun) -> bool:
        with self._lock:
            record = self._records.get(run.run_id)
            is_this = record is not None and record.accepted_at == run.accepted_at
            if record is not None and is_this and record.status.active:
                return False
            if record is None or is_this:
                self._forget(run.run_id)
            self._remains[session_id] = [each for each in self._remains.get(session_id, ()) if each != run]
            return True

    def remove_expired(self, run_id: str) -> bool:
        with self._lock:
            record = self._records.get(run_id)
            if record is None or not has_passed(self._expiries.get(run_id), self._clock.now()):
                return False
            self._forget(run_id)
            session = self._sessions.get(record.session_id)
            if session is not None:
                session.runs.pop((record.accepted_at, run_id), None)
            return True

    def remove_values(self, session_id: str, *, until: int, media: bool) -> None:
        """Nothing is kept outside the session."""

    def close(self, session_id: str, *, deleted_at: int, expires_at: int) -> None:
        """A deletion is not forgotten while the process lives."""

    def _forget(self, run_id: str) -> None:
        record = self._records.pop(run_id, None)
        if record is not None:
            self._removed.append(record)
        self._expiries.pop(run_id, None)
        self._works.pop(run_id, None)
        self._checkpoints.pop(run_id, None)
        self._packs.remove(run_id)

    def _living(self, session_id: str) -> StoredSession | None:
        session = self._sessions.get(session_id)
        return None if session is None or session.head.expired(self._clock.now()) else session

    def _may_bury(self, session: Session, now: int) -> bool:
        there = self._as_read(session)
        has_expired = session.expires_at is not None and session.expires_at <= now
        return there is not None and (not has_expired or there.head.expires_at == session.expires_at)

    def _as_read(self, session: Session) -> StoredSession | None:
        there = self._sessions.get(session.session_id)
        same = there and (there.head.created_at, there.head.user_id) == (session.created_at, session.user_id)
        return there if same else None


def has_passed(time: int | None, now: int) -> bool:
    """Whether something has expired that does so at this time; None: never."""
    return time is not None and time < now


def copy_of(output: RunOutput) -> RunOutput:
    """An equal output that shares nothing with this one. Raises ``NotStorable``."""
    return RunOutput.from_json(json.loads(json_text(output.to_json())))


def _is_chosen(head: Session, chosen: SessionFilter) -> bool:
    if head.kind not in chosen.kinds:
        return False
    if chosen.user_id is not None:
        return head.user_id == chosen.user_id
    return chosen.component_id in (None, head.component_id)
