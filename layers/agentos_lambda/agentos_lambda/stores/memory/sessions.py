"""The sessions of the memory store, and what requests do with them. What is handed out shares no mutable value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import SessionExists
from agentos_lambda.runs.model import RunOutput, RunRecord, Session, SessionDelta, StoredRun
from agentos_lambda.sessions.model import BuriedRun, SessionEntry, SessionFilter
from agentos_lambda.stores.memory.packs import Packs
from agentos_lambda.stores.rules import first_entries, json_text


@dataclass(slots=True)
class StoredSession:
    """A session: its head without fields and runs, and these beside it."""

    head: Session
    fields: dict[str, str] = field(default_factory=dict)
    runs: dict[tuple[int, str], StoredRun] = field(default_factory=dict)

    def merge(self, changes: SessionDelta) -> None:
        for name in changes.remove:
            self.fields.pop(name, None)
        self.fields.update({name: json_text(value) for name, value in changes.set.items()})

    def read(self) -> Session:
        """Without runs."""
        return replace(self.head, fields={name: json.loads(text) for name, text in self.fields.items()})

    def all_runs(self) -> list[StoredRun]:
        """Oldest first."""
        return [replace(run, output=copy_of(run.output)) for _, run in sorted(self.runs.items())]

    def runs_of(self, kind: Kind, component_id: str) -> list[StoredRun]:
        return [run for run in self.all_runs() if (run.kind, run.component_id) == (kind, component_id)]


class MemorySessions:
    """Implements ``sessions.ports.SessionDirectory`` and ``SessionRemains``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, RunRecord] = {}
        self._removed: list[RunRecord] = []
        """What runs of deleted sessions have used stays."""
        self._works: dict[str, str] = {}
        self._packs: Packs
        self._sessions: dict[str, StoredSession] = {}
        self._buried: dict[str, int] = {}
        """Session id -> when a session of this id was last deleted."""
        self._remains: dict[str, list[BuriedRun]] = {}

    def create(self, session: Session) -> None:
        stored = StoredSession(replace(session, fields={}, runs=()))
        stored.merge(SessionDelta(session.fields))
        with self._lock:
            if self._sessions.setdefault(session.session_id, stored) is not stored:
                raise SessionExists("The session's id is taken.")

    def find(self, session_id: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(session_id)
            return None if session is None else session.read()

    def whole(self, session_id: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(session_id)
            return None if session is None else replace(session.read(), runs=tuple(session.all_runs()))

    def change(self, session: Session, changes: SessionDelta, *, name: str | None, now: int) -> Session | None:
        with self._lock:
            there = self._as_read(session)
            if there is None:
                return None
            there.merge(changes)
            there.head = replace(there.head, updated_at=now, name=there.head.name if name is None else name)
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
            return [self._sessions[each].read() for each in session_ids if each in self._sessions]

    def bury(self, session_id: str, session: Session | None, *, now: int) -> bool:
        with self._lock:
            there = self._sessions.get(session_id)
            if there is not None and (session is None or self._as_read(session) is None):
                return False
            if there is None and session is not None:
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

    def buried_runs(self, session_id: str, *, until: int, limit: int) -> Sequence[BuriedRun]:
        with self._lock:
            runs = sorted(self._remains.get(session_id, ()), key=lambda run: (run.accepted_at, run.run_id))
            return [run for run in runs if run.accepted_at <= until][:limit]

    def remove_run(self, session_id: str, run: BuriedRun) -> bool:
        with self._lock:
            record = self._records.get(run.run_id)
            if record is not None and record.status.active:
                return False
            self._records.pop(run.run_id, None)
            if record is not None:
                self._removed.append(record)
            self._works.pop(run.run_id, None)
            self._packs.remove(run.run_id)
            self._remains[session_id] = [each for each in self._remains.get(session_id, ()) if each != run]
            return True

    def remove_values(self, session_id: str, *, until: int, media: bool) -> None:
        """Nothing is kept outside the session."""

    def close(self, session_id: str, *, deleted_at: int, expires_at: int) -> None:
        """A deletion is not forgotten while the process lives."""

    def _as_read(self, session: Session) -> StoredSession | None:
        there = self._sessions.get(session.session_id)
        same = there and (there.head.created_at, there.head.user_id) == (session.created_at, session.user_id)
        return there if same else None


def copy_of(output: RunOutput) -> RunOutput:
    """An equal output that shares nothing with this one. Raises ``NotStorable``."""
    run, members = json.loads(json_text((output.run, output.members)))
    return RunOutput(run, tuple(members))


def _is_chosen(head: Session, chosen: SessionFilter) -> bool:
    if head.kind not in chosen.kinds:
        return False
    if chosen.user_id is not None:
        return head.user_id == chosen.user_id
    return chosen.component_id in (None, head.component_id)
