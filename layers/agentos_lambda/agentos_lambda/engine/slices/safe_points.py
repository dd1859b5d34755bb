"""Where a run can stop in its middle, so that another process carries it on and nothing is done twice.

For an agent or a team that is after a batch of tools, before the model is asked again: agno has a callback there, for
its ``checkpoint="tool-batch"``. For a workflow it is before one of its own steps, where agno asks whether to pause.
Steps within steps, and members of a team, have no safe points: they are carried on by nobody but their own run.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from copy import copy
from functools import cache, wraps
from typing import Any

import agno.agent._response as agent_response
import agno.agent._run as agent_run
import agno.team._response as team_response
import agno.team._run as team_run
from agno.team import Team
from agno.team.mode import TeamMode
from agno.workflow import workflow
from agno.workflow.utils.hitl import StepPauseResult

from agentos_lambda.engine.database import RunDatabase

_MEMORY_SECONDS = 20.0
"""agno makes the memories of a run in a task beside it. A run that is to be carried on waits so long for it."""


class SafePoints:
    """The safe points of one run. Used in its event loop, but for ``wanted``."""

    def __init__(self, run_id: str, database: RunDatabase, *, text_before: str) -> None:
        """``text_before``: what earlier slices have said."""
        self.run_id = run_id
        self.text_before = text_before
        self.wanted = False
        """Whether the run is to stop at the next one. Set from any thread."""
        self.stopped = False
        """Whether the run has stopped at one: what agno does from then on is not the run's."""
        self._database = database
        self._steps: list[Any] = []
        self._others: Callable[[], Iterable[asyncio.Task[Any]]] = tuple
        self._interrupt: Callable[[], None] = lambda: None

    def prepare(
        self, component: Any, *, others: Callable[[], Iterable[asyncio.Task[Any]]], interrupt: Callable[[], None]
    ) -> None:
        """``component``: what runs. ``others`` gives the tasks beside the run, ``interrupt`` has it cancelled."""
        self._component, self._others, self._interrupt = component, others, interrupt

    def stops_before(self, step: Any) -> bool:
        """Whether the workflow stops before this step. It then is stopped."""
        steps = getattr(self._component, "steps", None)
        if self.wanted and isinstance(steps, list) and any(step is each for each in steps):
            self.stopped = True
        return self.stopped

    async def stop_after_tools(self, run: Any, session: Any, state: dict[str, Any] | None) -> None:
        """Keep the run as it is now, and never return. ``state``: that of the session, as the run has changed it."""
        current = asyncio.current_task()
        others = [task for task in self._others() if task is not current and not task.done()]
        if others:
            await asyncio.wait(others, timeout=_MEMORY_SECONDS)
        kept = copy(session)
        kept.session_data = {**(session.session_data or {}), "session_state": state or {}}
        await self._database.upsert_session(kept)
        await self._database.upsert_run(run, session.session_id)
        self._database.keep_no_more()
        self.stopped = True
        self._interrupt()
        await asyncio.Event().wait()


_of_run: ContextVar[SafePoints | None] = ContextVar("safe_points", default=None)


def note_safe_points(points: SafePoints) -> None:
    """From now on, the run in the current context, or in one that comes of it, may stop at these."""
    _of_run.set(points)


def current_run() -> str | None:
    """The id of the run in whose course this is called."""
    points = _of_run.get()
    return None if points is None else points.run_id


@cache
def find_safe_points() -> None:
    """Have agno come by the safe points of its runs."""
    _replace(agent_run, "abuild_after_tool_results_callback", _stopping)
    _replace(team_run, "abuild_team_after_tool_results_callback", _stopping)
    _replace(agent_response, "ahandle_model_response_stream", _with_text_before)
    _replace(team_response, "_ahandle_model_response_stream", _with_text_before)
    _replace(workflow, "step_pause_status", _pausing)


def _replace(module: Any, name: str, by: Callable[..., Any]) -> None:
    setattr(module, name, by(getattr(module, name)))


def _stopping(build: Callable[..., Any]) -> Callable[..., Any]:
    """agno's maker of a callback after each batch of tools; the callback stops the run there if that is wanted."""
    parameters = inspect.signature(build)

    @wraps(build)
    def built(*arguments: Any, **options: Any) -> Any:
        own, points = build(*arguments, **options), _of_run.get()
        given = parameters.bind(*arguments, **options).arguments
        part, run, session, messages = list(given.values())[:4]
        context = given.get("run_context")
        if points is None or run.run_id != points.run_id or getattr(part, "mode", None) is TeamMode.tasks:
            return own

        async def after_tools(model_response: Any) -> None:
            if own is not None:
                await own(model_response)
            if points.wanted and not _waits(run, model_response):
                stored = _as_it_is(run, messages, model_response)
                if isinstance(part, Team):
                    await team_run._apersist_member_runs_for_team_run(part, session, run.run_id, stored)  # noqa: SLF001
                await points.stop_after_tools(stored, session, context.session_state if context is not None else None)

        return after_tools

    return built


def _as_it_is(run: Any, messages: Any, model_response: Any) -> Any:
    """The run with what the model and its tools have said so far.

    agno itself puts that into a run when it ends. When it saves a streamed one in its middle, it loses the tools.
    """
    known = {tool.tool_call_id for tool in run.tools or ()}
    further = [tool for tool in model_response.tool_executions or () if tool.tool_call_id not in known]
    stored = copy(run)
    stored.tools = [*(run.tools or ()), *further]
    stored.messages = [message for message in messages.messages if message.add_to_agent_memory]
    return stored


def _waits(run: Any, model_response: Any) -> bool:
    """Whether the run is about to pause: a tool waits for its caller."""
    tools = [*(run.tools or ()), *(getattr(model_response, "tool_executions", None) or ())]
    return any(tool.is_paused for tool in tools) or any(not each.is_resolved() for each in run.requirements or ())


def _with_text_before(handle: Callable[..., Any]) -> Callable[..., Any]:
    """agno's maker of a run's text, which begins with what earlier slices have said."""
    parameters = inspect.signature(handle)

    @wraps(handle)
    async def handled(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async for event in handle(*arguments, **options):
            yield event
        points, run = _of_run.get(), parameters.bind(*arguments, **options).arguments["run_response"]
        if points is not None and run.run_id == points.run_id and isinstance(run.content, str | None):
            run.content = points.text_before + (run.content or "") or run.content

    return handled


def _pausing(status: Callable[..., StepPauseResult]) -> Callable[..., StepPauseResult]:
    """agno's question whether a workflow pauses before a step. A pause of the step's own goes first."""

    @wraps(status)
    def asked(step: Any, step_index: int, *arguments: Any, **options: Any) -> StepPauseResult:
        own, points = status(step, step_index, *arguments, **options), _of_run.get()
        if own.should_pause or points is None or step_index == 0:  # a slice has to have done something
            return own
        if hasattr(step, "choices") and status(step, step_index, *arguments, for_route_selection=True).should_pause:
            return own
        return StepPauseResult(should_pause=True) if points.stops_before(step) else own

    return asked
