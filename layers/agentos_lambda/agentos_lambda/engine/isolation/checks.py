"""Output that a component's own checks have blocked: nobody gets it.

A check is a post-hook that raises ``OutputCheckError`` or ``InputCheckError``. agno 3.1 ends the run as an error, but
leaves the output in it: a caller reads it, a workflow hands it to its next step, a leader takes it for a member's
answer. Here agno finds no output when it handles the error, so it puts the reason there.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, cast

import agno.agent._hooks as agent_hooks
import agno.team._hooks as team_hooks
from agno.agent import Agent
from agno.exceptions import InputCheckError, OutputCheckError
from agno.run.agent import RunOutput
from agno.run.team import RunCompletedEvent as TeamRunCompletedEvent
from agno.run.team import TeamRunOutput
from agno.team import Team
from agno.utils.events import create_run_output_content_event, create_team_run_output_content_event
from agno.workflow import Workflow

from agentos_lambda.engine.isolation.held import holds_output
from agentos_lambda.engine.isolation.written import ASKED, WRITTEN, without_output
from agentos_lambda.protocol.values import Json

_OPENINGS = frozenset({"RunStarted", "RunContinued", "TeamRunStarted", "TeamRunContinued", "WorkflowStarted"})
_ENDINGS = {
    f"{prefix}{ending}": ending
    for prefix in ("Run", "TeamRun", "Workflow", "WorkflowAgent")
    for ending in ("Completed", "Error", "Cancelled", "Paused")
}


class BlockedOutputs:
    """What the checks have blocked in the course of one run: its own output, or a member's, or a step's."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.streamed = False
        """Whether some of it was in the events before it was blocked."""
        self.runs: dict[str, RunOutput | TeamRunOutput] = {}
        self._reasons: dict[str, str] = {}

    def block(self, run: RunOutput | TeamRunOutput, reason: str) -> None:
        """Take the output out of the run and out of those that worked for it."""
        if run.run_id is not None:
            self.runs[run.run_id] = run
            self._reasons[run.run_id] = reason
        _empty(run, None)
        for member in run.member_responses if isinstance(run, TeamRunOutput) else ():
            self.block(member, reason)
            member.content = reason

    def removed_from(self, value: Json) -> Json:
        """The value without what was blocked: the run, or one that worked for it, at any depth."""
        if isinstance(value, list):
            return [self.removed_from(item) for item in value]
        if not isinstance(value, dict) or not self._reasons:
            return value
        reason = self._reasons.get(value.get("run_id") or "")
        if reason is None and (leader := value.get("parent_run_id")) in self._reasons:
            reason = self._reasons[leader]
            self._reasons.setdefault(value.get("run_id") or "", reason)
        if reason is not None:
            value = {**without_output(value), **({"content": reason} if "content" in value else {})}
        return {name: self.removed_from(item) for name, item in value.items()}


_of_run: ContextVar[BlockedOutputs | None] = ContextVar("blocked_outputs", default=None)


def note_blocked_outputs(blocked: BlockedOutputs) -> None:
    """From now on, what is blocked in the current context, or in one that comes of it, is noted here."""
    _of_run.set(blocked)


def _empty(run: RunOutput | TeamRunOutput, content: str | None) -> None:
    run.content, run.content_type = content, "str"
    for name in WRITTEN:
        setattr(run, name, None)
    run.messages = [each for each in run.messages or () if each.from_history or each.role in ASKED]
    for tool in run.tools or ():
        tool.tool_args = tool.result = None


@cache
def withhold_blocked_output() -> None:
    """Have every agent and team of this process withhold what its checks block, whoever runs it."""
    hooks: list[tuple[Any, str]] = [
        (agent_hooks, "execute_post_hooks"),
        (agent_hooks, "aexecute_post_hooks"),
        (team_hooks, "_execute_post_hooks"),
        (team_hooks, "_aexecute_post_hooks"),
    ]
    for module, name in hooks:
        setattr(module, name, _withholding(getattr(module, name)))
    for component in (Agent, Team, Workflow):
        for name in ("arun", "acontinue_run", "run", "continue_run"):
            setattr(component, name, _with_checked_stream(getattr(component, name)))


def _withholding(execute: Callable[..., Any]) -> Callable[..., Any]:
    """agno's function that executes post-hooks, with an eye on what they raise."""

    def withhold(run: RunOutput | TeamRunOutput, error: Exception) -> None:
        blocked = _of_run.get() or BlockedOutputs("")
        blocked.block(run, str(error))

    @wraps(execute)
    async def iterate(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        try:
            async for event in execute(*arguments, **options):
                yield event
        except (InputCheckError, OutputCheckError) as error:
            withhold(options["run_output"], error)
            raise

    @wraps(execute)
    def iterate_now(*arguments: Any, **options: Any) -> Iterator[Any]:
        try:
            yield from execute(*arguments, **options)
        except (InputCheckError, OutputCheckError) as error:
            withhold(options["run_output"], error)
            raise

    return iterate if inspect.isasyncgenfunction(execute) else iterate_now


def _with_checked_stream(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def run(component: Any, *arguments: Any, **options: Any) -> Any:
        given = method(component, *arguments, **options)
        blocked = _of_run.get()
        if blocked is None or not (
            isinstance(component, Team) or holds_output(component) or getattr(component, "post_hooks", None)
        ):
            return given
        stream = _CheckedStream(component, blocked, options)
        if inspect.isasyncgen(given):
            return stream.of(given)
        if inspect.isgenerator(given):  # of code that does not wait: a tool, or a step's function
            return stream.of_now(given)
        return stream.once_awaited(given) if inspect.iscoroutine(given) else given

    return run


class _CheckedStream:
    """The events of one agent, team or workflow, as its checks let them through."""

    def __init__(self, component: Any, blocked: BlockedOutputs, options: dict[str, Any]) -> None:
        self._blocked = blocked
        self._asked_to_hold = holds_output(component)
        self._is_workflow = isinstance(component, Workflow)
        # A leader, and any tool that runs an agent, takes the text as it comes. A step takes the run when it has ended.
        is_root = (
            options.get("run_id") == blocked.run_id
            or getattr(options.get("run_response"), "run_id", None) == blocked.run_id
        )
        self._is_tools = (
            not is_root and options.get("run_context") is None and bool(getattr(component, "post_hooks", None))
        )
        self._wants_output = bool(options.get("yield_run_output"))
        self._run_id: str | None = None
        self._held: list[Any] = []
        self._ended: str | None = None
        self._gave_output = False

    async def once_awaited(self, awaitable: Any) -> Any:
        given = await awaitable
        return self.of(given) if inspect.isasyncgen(given) else given

    async def of(self, events: Any) -> AsyncIterator[Any]:
        async with aclosing(_with_state(events)) as complete:
            async for item in complete:
                for passed in self._passed(item):
                    yield passed
        for left in self._left():
            yield left

    def of_now(self, events: Any) -> Iterator[Any]:
        with closing(events):
            for item in events:
                yield from self._passed(item)
        yield from self._left()

    def _left(self) -> Iterator[Any]:
        """What is still to come when agno has given all that it gives."""
        # A workflow tells of its end, but not of every pause. Others tell of pauses, but not of an end to all who ask.
        yield from self._held if self._ended is None and not self._is_workflow else ()
        run = self._blocked.runs.get(self._run_id or "")
        if run is not None and self._wants_output and not self._gave_output:
            yield run  # agno gives none after an error; a step, or a leader, then knows of the run

    def _passed(self, item: Any) -> Iterator[Any]:
        name = getattr(item, "event", None)
        if not name:
            self._gave_output = self._gave_output or isinstance(item, RunOutput | TeamRunOutput)
            yield item
            return
        self._run_id = self._run_id or item.run_id
        ending = _ENDINGS.get(name) if item.run_id == self._run_id else None
        if ending is not None:
            yield from self._at_the_end(item, ending)
        elif self._ended is not None or not (self._asked_to_hold or self._is_tools) or self._opens(item):
            yield item
        else:
            self._held.append(item)

    def _opens(self, item: Any) -> bool:
        return not self._held and item.event in _OPENINGS and item.run_id == self._run_id

    def _at_the_end(self, item: Any, ending: str) -> Iterator[Any]:
        run = self._blocked.runs.get(self._run_id or "")
        if self._asked_to_hold and self._ended == "Cancelled":
            return  # agno's completion of a run that was cancelled has all that it had done
        if self._ended is None:
            self._ended = ending
            if run is not None:
                self._blocked.streamed |= not (self._asked_to_hold or self._is_tools)
                if self._is_tools:
                    yield _reason_as_text(run)
            elif ending == "Completed" or not self._asked_to_hold:
                yield from self._held
            self._held = []
        if self._asked_to_hold and self._ended in ("Cancelled", "Paused"):
            item.content = getattr(item, "reason", None)
        yield item


async def _with_state(events: Any) -> AsyncGenerator[Any]:
    """The events, a team's completion with the session state: agno makes the event before it has put it there."""
    completion: TeamRunCompletedEvent | None = None
    async with aclosing(events):
        async for item in events:
            if completion is not None:
                if isinstance(item, TeamRunOutput) and item.run_id == completion.run_id:
                    completion.session_state = item.session_state or {}
                yield completion
                completion = None
            if isinstance(item, TeamRunCompletedEvent) and item.session_state is None:
                completion = item
            else:
                yield item
    if completion is not None:
        yield completion


def _reason_as_text(run: RunOutput | TeamRunOutput) -> Any:
    """What a leader reads as the answer of a member whose output was blocked."""
    create = create_run_output_content_event if isinstance(run, RunOutput) else create_team_run_output_content_event
    return cast(Any, create)(from_run_response=run, content=run.content)
