"""What agno does about decisions, watched: a decision that came to nothing must not look like one that was obeyed."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any

import agno.agent._tools as agent_tools
import agno.team._run as team_run
from agno.run.messages import RunMessages
from agno.run.requirement import RunRequirement
from agno.run.team import TeamRunOutput

_RUNS = ("run_tool", "arun_tool")
_ANSWERS = (
    "reject_tool_call",
    "handle_external_execution_update",
    "handle_get_user_input_tool_update",
    "handle_ask_user_tool_update",
)
"""agno's functions that give a decision to the tool, or to the model: each gets the tool's call."""

_MARK = "requires human input"
"""What agno tells a leader of a member that waits."""


@dataclass(slots=True)
class Decisions:
    """The tool calls that a continued run has to act on, and those on which it did."""

    expected: list[RunRequirement] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)

    def expect(self, requirements: Iterable[RunRequirement]) -> None:
        """Those of the requirements that are decided, and not settled by an earlier continuation."""
        for each in requirements:
            if each.tool_execution is not None and each.tool_execution.is_paused and each.is_resolved():
                self.expected.append(each)

    def unheeded(self) -> str | None:
        """In words, the first decision that came to nothing; None if each was acted on."""
        for each in self.expected:
            tool = each.tool_execution
            if tool is None or tool.tool_call_id in self.ran:
                continue
            if each.confirmation or tool.confirmed:
                return f"The tool {tool.tool_name} was confirmed, but did not run"
            if tool.tool_call_id not in self.answered:
                return f"What was decided about the tool {tool.tool_name} did not reach it"
        return None


_of_run: ContextVar[Decisions | None] = ContextVar("decisions", default=None)


def note_decisions(decisions: Decisions) -> None:
    """From now on, what is acted on in the current context, or in one that comes of it, is noted here."""
    _of_run.set(decisions)


@cache
def watch_decisions() -> None:
    """Have agno note what it acts on, and tell a leader what its members did although a tool of its own waits too."""
    for name in (*_RUNS, *_ANSWERS):
        setattr(agent_tools, name, _noting(getattr(agent_tools, name), ran=name in _RUNS))
    module: Any = team_run
    module._aroute_requirements_to_members = _telling(module._aroute_requirements_to_members)  # noqa: SLF001
    module._aroute_requirements_to_members_stream = _telling_stream(module._aroute_requirements_to_members_stream)  # noqa: SLF001


def _noting(act: Callable[..., Any], *, ran: bool) -> Callable[..., Any]:
    parameters = inspect.signature(act)

    @wraps(act)
    def noted(*arguments: Any, **options: Any) -> Any:
        decisions = _of_run.get()
        if decisions is not None:
            tool = parameters.bind(*arguments, **options).arguments["tool"]
            (decisions.ran if ran else decisions.answered).add(tool.tool_call_id)
        return act(*arguments, **options)

    return noted


def _telling(route: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(route)
    async def routed(team: Any, run_response: TeamRunOutput, *arguments: Any, **options: Any) -> list[str]:
        results: list[str] = await route(team, run_response, *arguments, **options)
        _tell(run_response, results)
        return results

    return routed


def _telling_stream(route: Callable[..., Any]) -> Callable[..., Any]:
    parameters = inspect.signature(route)

    @wraps(route)
    async def routed(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async for event in route(*arguments, **options):
            yield event
        given = parameters.bind(*arguments, **options).arguments
        _tell(given["run_response"], given["member_results"])

    return routed


def _tell(run: TeamRunOutput, results: list[str]) -> None:
    """Put the members' results where the leader was told that they wait. agno does so only if nothing else waits."""
    if not results:
        return
    waiting = [tool for tool in run.tools or () if _MARK in str(tool.result).lower()]
    earlier = [line for tool in waiting[:1] for line in str(tool.result).splitlines() if _MARK not in line.lower()]
    if any(not each.is_resolved() for each in run.requirements or ()):
        for tool in waiting:
            tool.result = "\n".join([*earlier, *results, str(tool.result).splitlines()[-1]])
        return
    prepare: Any = team_run._prepare_member_hitl_continuation  # noqa: SLF001
    prepare(run, RunMessages(messages=run.messages or []), [*earlier, *results])
