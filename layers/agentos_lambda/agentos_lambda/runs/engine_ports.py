"""What runs need from an engine. Each Protocol states what every engine guarantees."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from agentos_lambda.protocol.values import Event, JsonObject, Kind, RunStatus
from agentos_lambda.runs.carried import Carried
from agentos_lambda.runs.memories import Memory, MemoryChange, no_memories
from agentos_lambda.runs.model import Continuation, RunOutput, RunRecord, Session, SessionDelta, Work
from agentos_lambda.runs.ports import PastSessions
from agentos_lambda.runs.usage import Usage


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
