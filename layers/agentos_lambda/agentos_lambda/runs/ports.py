"""What runs need from outside: stores and a queue. Each Protocol states what every implementation guarantees.

The stores are synchronous and may be called from any thread. Every method may raise ``StoreUnavailable``. A caller may
repeat every write with the same tokens: if the write was applied and only its answer was lost, the store recognises it
as the caller's own and reports success.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from agentos_lambda.protocol.values import Json, Kind, RunStatus
from agentos_lambda.runs.memories import Memory
from agentos_lambda.runs.model import (
    Ending,
    EventPack,
    IndexedEvent,
    RunOutput,
    RunRecord,
    Session,
    StoredRun,
)

MAX_PAST_SESSIONS = 100
"""Of a user, that a run finds at once."""


class RunStore(Protocol):
    """The records of runs, and the one transaction that ends an attempt."""

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        """Create the record, with its work if it is to wait for a worker.

        Raises ``RunExists`` if the run id is in use, unless by this very record (token). That of a run that has expired
        is free once it is removed.
        """

    def work(self, record: RunRecord) -> Json:
        """The work that the run was last queued or handed over with; None if there is none."""

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
        """Continue a PAUSED run: RUNNING with this executor and lease, the attempt raised by one; or, if
        ``lease_until`` is None, PENDING with its work, sent once. ``logged``: whether it has a log from now on. Its
        place is that of ``record``.

        Demands that attempt and status are still those of ``record``: of two callers, one gets ``ClaimLost``.
        """

    def checkpoint(self, record: RunRecord, *, sequence: int, work: Json) -> None:
        """Replace the run's work. Raises ``Fenced`` unless ``record.attempt`` is RUNNING.

        ``sequence`` counts the attempt's checkpoints: one that arrives after a later one changes nothing.
        """

    def due(self, *, before: int) -> Sequence[Iterable[str]]:
        """Ids of PENDING and RUNNING runs that a sweep has to look at before this time: whose lease ends by then, or
        whose next send is due, rounded up to ``DUE_STEP_MS``. And of ended runs that are ``untold``, or expire before
        it. A hint: read the records.

        In parts of limited size, each of which is read when it is iterated over; several threads may do so at once.
        """

    def remove_expired(self, run_id: str) -> bool:
        """Remove the run with all that it has left, if it has expired. May be repeated."""

    def note_send(self, record: RunRecord, *, next_send_at: int) -> RunRecord:
        """Count a PENDING run's next send to the queue, before it is sent: of two callers, one gets
        ``ClaimLost``."""

    def note_acknowledged(self, record: RunRecord, *, next_send_at: int | None = None) -> None:
        """Note that the queue has acknowledged the last send of ``record``, and when to look at the run again; None:
        as it was. Changes nothing if the run does not wait any more, or was sent again."""

    def get(self, run_id: str) -> RunRecord | None:
        """The record, read consistently; None if there is none, or if it has expired."""

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        """Become the executor: RUNNING, the attempt raised by one, ``executor`` and ``lease_until`` stored.

        Takes a PENDING run, or a RUNNING one whose lease ended before ``expired_before``, even if a cancel is flagged.
        An expired attempt is sealed at the last event that the log holds of it. Raises ``ClaimLost``.
        """

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        """Extend the lease of ``record.attempt``, and keep its usage. The record returned has the cancel flag. Raises
        ``Fenced``.

        A lease is never set back: a renewal that arrives after a later one changes nothing.
        """

    def flag_cancel(self, record: RunRecord, *, now: int) -> RunRecord:
        """Flag a RUNNING run's cancel (the first flag's time stays), whoever executes it now; any other run is returned
        unchanged, and so is one that has paused or was begun since ``record`` was read: a flag may arrive late.

        Raises ``NotFound`` if there is no such run.
        """

    def commit(self, ending: Ending) -> RunRecord:
        """End the attempt: record, session, the session's RUN item, last event pack, all or nothing. An ending as
        PENDING hands the run over: record, work and last event pack. It then waits as if it had been queued and sent.

        Demands that the record's attempt and status are still those of ``ending.before`` (else ``Fenced``), that no
        cancel is flagged unless the run ends as CANCELLED (else ``CancelWins``), and that the session is new, has no
        owner or has the run's (else ``SessionTaken``; ``commit_without_session`` can then still commit an ERROR).
        The owner of a session is that of the run that creates it, and stays. Fields are merged one by one, whatever
        others have committed since ``ending.read``. Raises ``NotStorable`` if the values are too large.

        If the session was deleted after the run was accepted, commits without it, and the run leaves nothing else but
        memories. If it was deleted before, the run begins a new session.

        Changes of memories are committed with it. Those of memories that somebody else has changed since the run read
        them are dropped, and logged.
        """

    def commit_without_session(self, ending: Ending) -> RunRecord:
        """End the attempt in the record and the log only, for a run whose session cannot be written."""

    def note_told(self, record: RunRecord) -> None:
        """Note that somebody will tell the followers of a run that ended ``untold``: it is due no more, until it
        expires. May be repeated."""

    def output(self, record: RunRecord) -> RunOutput | None:
        """What the run left when it last ended or paused; None before, or if it ended without its session."""


class SessionStore(Protocol):
    """Sessions, as the commits of runs leave them."""

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int | None) -> Session | None:
        """The session with its fields and the component's last ``history`` COMPLETED runs, oldest first; consistent.
        Without both if ``history`` is None. Without runs that have expired; whether the session has is for the caller
        to ask.

        One request to the store where the session's newest runs are such runs, and its fields are not large. None if
        there is no such session.
        """

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
        """The component's ended runs in the session, oldest first, without the first ``skip`` of them; only those with
        this status, those that this user sees (``access.sees``), and those that were accepted ``after`` this time.

        Read while it is iterated over: of what runs have left, one run at a time.
        """


class UserMemories(Protocol):
    """The memories of users, as runs read them."""

    def memories_of(self, user_id: str) -> Sequence[Memory]:
        """All memories of the user in any order, read consistently."""


class PastSessions(Protocol):
    """A user's conversations, as runs look them up. A user sees sessions and runs of their own; a run without a user
    those that belong to nobody."""

    def past_sessions(self, kind: Kind, user_id: str | None, *, limit: int, runs: int) -> Sequence[Session]:
        """The newest sessions of the kind, newest first, each with the first ``runs`` of its runs, oldest first.

        At most ``limit``, and ``MAX_PAST_SESSIONS``. Those of nobody are found among the newest
        ``MAX_PAST_SESSIONS`` of all. Found by an index that is eventually consistent.
        """

    def past_session(self, session_id: str, user_id: str | None, *, runs: int) -> Session | None:
        """The session of any kind with the first ``runs`` of its runs, oldest first, read consistently; None if there
        is none, or it is somebody else's."""


class EventLog(Protocol):
    """The packs of events, kept for a limited time."""

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        """Store a pack. Does not fail for a fenced attempt: no reader sees what it writes."""

    def read(self, record: RunRecord, *, after: int) -> Sequence[IndexedEvent]:
        """Events with an index over ``after``, in order: of ended attempts up to the seal, of the current one all."""


class Store(RunStore, SessionStore, PastSessions, UserMemories, EventLog, Protocol):
    """All of them in one database, so that a commit is one transaction."""


class RunQueue(Protocol):
    """Runs that wait for a worker. Delivers at least once, in any order. A message is a hint, the record decides."""

    def send(self, run_id: str) -> None:
        """Have a worker look at the run soon. Raises ``StoreUnavailable``."""

    def depth(self) -> int:
        """About how many runs wait. Raises ``StoreUnavailable``."""
