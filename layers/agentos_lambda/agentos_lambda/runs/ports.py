"""What runs need from outside: stores and an engine. Each Protocol states what every implementation guarantees.

The stores are synchronous and may be called from any thread. Every method may raise ``StoreUnavailable``. Every write
may be repeated by its caller with the same tokens: a write that was applied, but whose answer was lost, is found to be
the caller's own and reported as done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from agentos_lambda.protocol.values import Event, Json, JsonObject, Kind, RunStatus
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


class RunStore(Protocol):
    """The records of runs, and the one transaction that ends an attempt."""

    def accept(self, record: RunRecord, *, work: Json = None) -> RunRecord:
        """Create the record, with the work of a run that waits for a worker.

        Raises ``RunExists`` if its run id is in use, unless it is this very record (token).
        """

    def work(self, record: RunRecord) -> Json:
        """The work that the run was queued with last, None if there is none."""

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
        """Let a PAUSED run go on: RUNNING with this executor and lease, the attempt raised by one; or PENDING with its
        work, to be claimed, where ``lease_until`` is None. ``logged`` says whether it has a log from now on.

        Demands that attempt and status are still those of ``record``: of two who continue, one gets ``ClaimLost``.
        """

    def active(self, *, accepted_before: int) -> Iterator[str]:
        """Ids of runs that were PENDING or RUNNING a moment ago, oldest first. A hint: look at the records."""

    def note_send(self, record: RunRecord) -> RunRecord:
        """Count a PENDING run's next send to the queue, before it is sent: of two who want to send, one gets
        ``ClaimLost``."""

    def get(self, run_id: str) -> RunRecord | None:
        """The record, read consistently."""

    def claim(self, run_id: str, *, executor: str, lease_until: int, expired_before: int) -> RunRecord:
        """Become the executor: RUNNING, the attempt raised by one, ``executor`` and ``lease_until`` stored.

        Takes a PENDING run, or a RUNNING one whose lease ended before ``expired_before``; a flagged cancel forbids
        neither. An expired attempt is sealed at the last event that the log holds of it. Raises ``ClaimLost``.
        """

    def renew(self, record: RunRecord, *, lease_until: int) -> RunRecord:
        """Extend the lease of ``record.attempt`` and see the cancel flag. Raises ``Fenced``."""

    def flag_cancel(self, run_id: str, *, now: int) -> RunRecord:
        """Flag a RUNNING run's cancel (the first flag's time stays); any other run is returned unchanged.

        Raises ``NotFound`` if there is no such run.
        """

    def commit(self, ending: Ending) -> RunRecord:
        """End the attempt: record, session, the session's RUN item, last event pack, all or nothing.

        Demands that the record's attempt and status are still those of ``ending.before`` (else ``Fenced``), that no
        cancel is flagged unless it ends as CANCELLED (else ``CancelWins``), and that the session is new, unowned or
        the run's owner's (else ``SessionTaken``; an ERROR ending then still can be committed with
        ``commit_without_session``). Raises ``NotStorable`` if the values are too large.
        """

    def commit_without_session(self, ending: Ending) -> RunRecord:
        """End the attempt in the record and the log only, for a run whose session can not be written."""

    def output(self, record: RunRecord) -> RunOutput | None:
        """What the run left when it last ended or paused; None before, or if it ended without its session."""


class SessionStore(Protocol):
    """Sessions, as the commits of runs leave them."""

    def load(self, session_id: str, *, kind: Kind, component_id: str, history: int) -> Session | None:
        """The session with the component's last ``history`` COMPLETED runs, oldest first; consistent.

        One request to the store where the session's newest runs are such runs. None if there is no such session.
        """

    def list_runs(self, session_id: str, *, kind: Kind, component_id: str) -> Sequence[StoredRun]:
        """All the component's ended runs in the session, oldest first."""


class EventLog(Protocol):
    """The packs of events, kept for a limited time."""

    def append(self, run_id: str, attempt: int, pack: EventPack) -> None:
        """Store a pack. Never fails for a fenced attempt: what a dead executor writes, no reader sees."""

    def read(self, record: RunRecord, *, after: int) -> Sequence[IndexedEvent]:
        """Events with an index over ``after``, in order: of ended attempts up to their seal, of the current one all."""


class Store(RunStore, SessionStore, EventLog, Protocol):
    """All three over one database, so that a commit is one transaction."""


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One run for an engine."""

    kind: Kind
    component_id: str
    run_id: str
    session_id: str
    user_id: str | None
    work: Work
    session: Session | None
    stream: bool
    """Whether events are wanted. Without, the engine may take the shorter way and give none."""
    paused: RunOutput | None = None
    """For a continuation: what the run left when it paused."""


@dataclass(frozen=True, slots=True)
class EngineOutcome:
    """How the engine's work ended. Nothing of it is stored yet."""

    status: RunStatus
    """PAUSED, COMPLETED, ERROR or CANCELLED."""
    output: RunOutput
    session: SessionDelta
    error: str | None = None


class EngineRun(Protocol):
    """One run in an engine. ``events`` is iterated to its end once, then ``outcome`` is asked."""

    def events(self) -> AsyncIterator[Event]:
        """The run's events as they happen, the terminal ones included. What the component raises ends the run as
        ERROR: it is never raised here."""

    def cancel(self) -> None:
        """Ask the run to stop. Thread-safe, returns at once; ``events`` then ends soon."""

    def outcome(self) -> EngineOutcome:
        """After ``events`` has ended: how."""

    def left_behind(self) -> bool:
        """After ``events`` has ended: whether code of the run still executes, in a thread that can not be stopped or in
        a task that does not let itself be cancelled."""


class Engine(Protocol):
    """Runs components. Writes nothing anywhere by itself."""

    def check(self, kind: Kind, paused: RunOutput, continuation: Continuation) -> None:
        """Raise ``InvalidRequest`` if these decisions do not fit what the paused run waits for."""

    def start(self, request: EngineRequest) -> EngineRun:
        """Prepare the run; it starts when its events are iterated. Raises ``NotFound`` for an unknown component."""


class Catalog(Protocol):
    """What can be told of the components without importing an engine."""

    def find(self, kind: Kind, component_id: str) -> Component | None:
        """The component with this id; None if there is none."""

    def all(self, kind: Kind) -> Sequence[Component]:
        """The components of a kind, in the order in which they are exported."""

    def models(self) -> Sequence[JsonObject]:
        """``{"id", "provider"}`` of each model of all agents and teams, members too, each once."""

    def os_config(self) -> JsonObject:
        """The part of ``GET /config`` that is not about single components: databases, domains, interfaces."""

    def engine_version(self) -> str:
        """The engine's own version, for ``GET /info``."""


class RunQueue(Protocol):
    """Runs that wait for a worker. Delivers at least once, in any order; a hint, the record is the authority."""

    def send(self, run_id: str) -> None:
        """Have some worker look at the run soon. Raises ``StoreUnavailable``."""

    def depth(self) -> int:
        """About how many runs wait. Raises ``StoreUnavailable``."""


class LiveRun(Protocol):
    """One attempt's way to those who follow it live."""

    def publish(self, indexed: IndexedEvent) -> None:
        """Tell an event that does not end the attempt. Returns at once, never raises."""

    def end(self, record: RunRecord) -> None:
        """Post nothing of the attempt any more. If the run has ended or paused, tell the rest as the log has it.

        ``record`` is the run as it is known now. Blocks for as long as that takes, never raises.
        """


class FanOut(Protocol):
    """Tells runs to connections that follow them. What becomes of those never harms a run."""

    def begin(self, record: RunRecord, *, holds_lease: Callable[[], bool]) -> LiveRun | None:
        """Begin to tell the attempt that ``record`` claims; None if nobody can follow such a run.

        Nothing is posted while ``holds_lease`` says no.
        """

    def ended(self, record: RunRecord) -> None:
        """Tell the rest to whoever still follows a run that ended where no fan-out was. Blocks, never raises."""
