"""An engine that does what a test tells it to, step by step, so that every interleaving can be driven."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentos_lambda.protocol.events import terminal_event
from agentos_lambda.protocol.values import Event, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.memories import MemoryChange
from agentos_lambda.runs.model import Continuation, RunOutput, SessionDelta
from agentos_lambda.runs.usage import Usage


@dataclass
class ScriptedRun:
    """Gives ``deltas`` as text, makes ``tools`` calls, each followed by text, says its ``last_words``, holds before the
    end while ``hold`` is set, then ends as ``status``. The hold is a safe point, of which the run has so many over all
    its slices. What a run has said whose events nobody wanted is in its outcome."""

    request: EngineRequest
    deltas: Sequence[str] = ("Hello ", "world")
    last_words: str = ""
    """Text that nothing follows which would have it logged at once."""
    status: RunStatus = RunStatus.COMPLETED
    session: SessionDelta = field(default_factory=SessionDelta)
    error: str | None = None
    hold: bool = False
    members: tuple[dict[str, object], ...] = ()
    raises: Exception | None = None
    leaves_behind: bool = False
    tools: int = 0
    withdrawn: bool = False
    answer: dict[str, object] | None = None
    memories: tuple[MemoryChange, ...] = ()
    safe_points: int = 1_000

    def __post_init__(self) -> None:
        self.cancelled = self.handed_over = False
        carried = self.request.carried
        self.tokens = 0
        self.said: list[str] = [] if carried is None else [str(carried.output.run["content"])]
        self.reached_hold = asyncio.Event()
        self._released = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def release(self) -> None:
        self._released.set()

    def cancel(self) -> None:
        self.cancelled = True
        self._loop.call_soon_threadsafe(self._released.set)

    def hand_over(self) -> None:
        carried = self.request.carried
        if (carried.state["slices"] if carried is not None else 0) < self.safe_points:
            self.handed_over = True
            self._loop.call_soon_threadsafe(self._released.set)

    @property
    def _prefix(self) -> str:
        return {Kind.AGENT: "Run", Kind.TEAM: "TeamRun", Kind.WORKFLOW: "Workflow"}[self.request.kind]

    def _event(self, name: str, **fields: object) -> Event:
        return {"event": name, "run_id": self.request.run_id, **fields}

    def _say(self, text: str) -> Event:
        self.said.append(text)
        self.tokens += 1
        return self._event(f"{self._prefix}Content", content=text)

    async def events(self) -> AsyncIterator[Event]:
        prefix = self._prefix
        if self.request.carried is None:
            yield self._event(f"{prefix}Started")
        for delta in self.deltas:
            yield self._say(delta)
        for _ in range(self.tools):
            yield self._event("ToolCallStarted")
            yield self._event(f"{prefix}Content", content="")
        yield {"event": "RunCompleted", "run_id": "a-member", "content": "not the end"}
        if self.last_words:
            yield self._say(self.last_words)
        if self.hold:
            self.reached_hold.set()
            await self._released.wait()
        if self.raises is not None:
            raise self.raises
        status = self.outcome().status
        if status is RunStatus.PENDING:
            return
        yield self._event(terminal_event(self.request.kind, status), content="".join(self.said))
        if status is RunStatus.CANCELLED:  # as the AgentOS API has it
            yield self._event(terminal_event(self.request.kind, RunStatus.COMPLETED), content="".join(self.said))

    def outcome(self) -> EngineOutcome:
        status = RunStatus.CANCELLED if self.cancelled else RunStatus.PENDING if self.handed_over else self.status
        run = {
            "run_id": self.request.run_id,
            "content": "".join(self.said),
            "input": getattr(self.request.work, "message", None),
        }
        return EngineOutcome(
            status,
            RunOutput(run, self.members),
            self.session,
            self.error,
            withdrawn=self.withdrawn,
            answer=self.answer,
            memories=self.memories,
            state={"slices": 1 + (self.request.carried.state["slices"] if self.request.carried is not None else 0)},
            so_far=() if self.request.stream else self._so_far(),
        )

    def _so_far(self) -> tuple[Event, ...]:
        text = self._event(f"{self._prefix}Content", content="".join(self.said))
        return self._event(f"{self._prefix}Started"), text

    def used(self) -> Usage:
        """A token for each delta, of ten times as long a request."""
        return Usage(10 * self.tokens, self.tokens)

    def left_behind(self) -> bool:
        return self.leaves_behind


class ScriptedEngine:
    """Starts a ``ScriptedRun`` for each request, with the script that is set at that moment."""

    def __init__(self, **script: Any) -> None:
        self.script = script
        self.runs: list[ScriptedRun] = []
        self.refuses: Exception | None = None

    def check(self, kind: Kind, paused: RunOutput, continuation: Continuation) -> None:
        if continuation.tools is None:
            raise InvalidRequest("tools are missing")

    def start(self, request: EngineRequest) -> ScriptedRun:
        if self.refuses is not None:
            raise self.refuses
        self.runs.append(ScriptedRun(request, **self.script))
        return self.runs[-1]
