"""What runs need from outside: stores and an engine. Each Protocol states what every implementation guarantees.

The stores are synchronous and may be called from any thread. Every method may raise ``StoreUnavailable``. A caller may
repeat every write with the same tokens: if the write was applied and only its answer was lost, the store recognises it
as the caller's own and reports success.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from agentos_lambda.protocol.values import Event, Json, JsonObject, Kind, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.memories import Memory, MemoryChange, no_memories
from agentos_lambda.runs.model import (
    Component,
    Continuation,
    Ending,
    EventPack,
    IndexedEvent,
    RunOutput,
    RunRecord,
    Session,
    SessionDelta,
    StoredRun,
    Work,
)
from agentos_lambda.runs.usage import Usage

MAX_PAST_SESSIONS = 100
"""Of a user, that a run finds at once."""


class RunStore(Protocol):
    """The records of runs, and the one transaction that ends an attempt."""

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        """Create the record, with its work if it is to wait for a worker.

        Raises ``RunExists`` if the run id is in use, unless by this very record (token). That of a run that has expired
        is free once its events have expired as well.
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
        ``lease_until`` is None, PENDING with its work, sent once. ``logged``: whether it has a log from now on.

        Demands that attempt and status are still those of ``record``: of two callers, one gets ``ClaimLost``.
        """

    def checkpoint(self, record: RunRecord, *, work: Json) -> None:
        """Replace the run's work. Raises ``Fenced`` unless ``record.attempt`` is RUNNING."""

    def due(self, *, before: int) -> Sequence[Iterable[str]]:
        """Ids of PENDING and RUNNING runs that a sweep has to look at before this time: whose lease ends by then, or
        whose next send is due, rounded up to ``DUE_STEP_MS``. And of ended runs that expire before it, unless the store
        removes these by itself. A hint: read the records.

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
        ``Fenced``."""

    def flag_cancel(self, run_id: str, *, now: int) -> RunRecord:
        """Flag a RUNNING run's cancel (the first flag's time stays); any other run is returned unchanged.

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


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What an engine gets of one attempt."""

    kind: Kind
    component_id: str
    run_id: str
    session_id: str
    user_id: str | None
    work: Work
    session: Session | None
    stream: bool
    """Whether events are wanted. If not, the engine may give none."""
    paused: RunOutput | None = None
    """For a continuation: what the run left when it paused."""
    carried: Carried | None = None
    """For a run that is carried on: what the slice before has left."""
    memories: Callable[[str], Sequence[Memory]] = no_memories
    """The memories of a user; called in a thread, once for each user. May raise ``StoreUnavailable``."""
    past: PastSessions | None = None
    """Earlier sessions; asked in a thread of its own. None where nothing keeps any. May raise ``StoreUnavailable``."""

    @classmethod
    def for_attempt(
        cls, record: RunRecord, work: Work, session: Session | None, *, stream: bool, paused: RunOutput | None = None
    ) -> Self:
        """What the attempt that ``record`` claims has to do."""
        ids = record.run_id, record.session_id, record.user_id
        return cls(record.kind, record.component_id, *ids, work, session, stream, paused)


@dataclass(frozen=True, slots=True)
class EngineOutcome:
    """How the engine's work ended. Nothing of it is stored yet."""

    status: RunStatus
    """PAUSED, COMPLETED, ERROR or CANCELLED; PENDING: the run has stopped at a safe point, to be carried on."""
    output: RunOutput
    session: SessionDelta
    """What the run has changed in its session, over all its slices."""
    error: str | None = None
    answer: JsonObject | None = None
    """The run as it happened, with its members, where that is more than is to be stored."""
    withdrawn: bool = False
    """Whether the events before the terminal ones hold what nobody may read any more."""
    memories: tuple[MemoryChange, ...] = ()
    """What the run has changed of its user's memories, over all its slices."""
    state: JsonObject | None = None
    """What the engine needs to carry it on."""
    so_far: tuple[Event, ...] = ()
    """The events of a run that is to be carried on, if they were not wanted until now."""


class EngineRun(Protocol):
    """One run in an engine. ``events`` is iterated to its end once, then ``outcome`` is asked."""

    def events(self) -> AsyncIterator[Event]:
        """The run's events as they happen, including the terminal ones. What the component raises is not raised here:
        it ends the run as ERROR."""

    def cancel(self) -> None:
        """Ask the run to stop. Thread-safe, returns at once; ``events`` then ends soon."""

    def hand_over(self) -> None:
        """Ask the run to stop at its next safe point, if it comes to one. Thread-safe, returns at once."""

    def outcome(self) -> EngineOutcome:
        """After ``events`` has ended: how."""

    def used(self) -> Usage:
        """The tokens that this attempt has used so far. Thread-safe."""

    def left_behind(self) -> bool:
        """After ``events`` has ended: whether code of the run still executes, in a thread that cannot be stopped or in
        a task that resists its cancellation."""


class Engine(Protocol):
    """Runs components. Writes nothing anywhere by itself."""

    def check(self, kind: Kind, paused: RunOutput, continuation: Continuation) -> None:
        """Raise ``InvalidRequest`` if these decisions do not fit what the paused run waits for."""

    def start(self, request: EngineRequest) -> EngineRun:
        """Prepare the run. It starts when its events are iterated. Raises ``NotFound`` for an unknown component."""


class Catalog(Protocol):
    """What is known of the components without importing an engine."""

    def find(self, kind: Kind, component_id: str) -> Component | None:
        """The component with this id; None if there is none."""

    def all(self, kind: Kind) -> Sequence[Component]:
        """The components of a kind, in the order of their export."""

    def models(self) -> Sequence[JsonObject]:
        """``{"id", "provider"}`` of each model of all agents and teams, including members, each once."""

    def os_config(self) -> JsonObject:
        """The part of ``GET /config`` that is not about single components: databases, domains, interfaces."""

    def engine_version(self) -> str:
        """The engine's own version, for ``GET /info``."""


class RunQueue(Protocol):
    """Runs that wait for a worker. Delivers at least once, in any order. A message is a hint, the record decides."""

    def send(self, run_id: str) -> None:
        """Have a worker look at the run soon. Raises ``StoreUnavailable``."""

    def depth(self) -> int:
        """About how many runs wait. Raises ``StoreUnavailable``."""
