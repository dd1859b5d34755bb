"""How many earlier runs of a session a component may look at: so many are read before it runs, and no more.

Counted as agno 3.1 reads them; generous where a component decides only at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Workflow

from agentos_lambda.engine.components.looking_back import looks_back
from agentos_lambda.engine.components.media_tools import OF_THE_SESSION, functions_of, media_asked_for, parameters_of
from agentos_lambda.engine.components.parts import TEXTS, parts, steps

WHOLE_SESSION = 100
"""For what reads all runs of a session: a tool that searches the chat or is given media, a hook that is given the
session, a function that looks back, a summary, learning. The cost of a run is bounded, whatever the session's length,
so "all" ends somewhere."""

_PREVIEWED_RUNS = 3
"""Of an earlier session, unless a component has another number (agno 3.1)."""


def history_runs(component: Agent | Team | Workflow) -> int:
    """The largest number of runs that the component, a member or a step of it wants; 0 if none looks back."""
    if isinstance(component, Team):
        return max(_own(component), *(_as_member(part) for part in parts(component) if part is not component), 0)
    return max(_own(part) for part in parts(component))


def history_if_asked(component: Agent | Team | Workflow) -> int:
    """The number for a run whose caller wants the history in the context, which only agents and teams know."""
    own = history_runs(component)
    return own if isinstance(component, Workflow) else max(own, _in_context(component))


def past_runs(component: Agent | Team | Workflow) -> int:
    """How many runs of each earlier session the component, a member or a step of it wants to see at once."""
    looking = [part for part in parts(component) if getattr(part, "search_past_sessions", False)]
    wanted = [getattr(part, "num_past_session_runs_in_search", None) for part in looking]
    return max((_PREVIEWED_RUNS if runs is None else runs for runs in wanted), default=WHOLE_SESSION)


def _in_context(part: Agent | Team) -> int:
    # With a limit of messages only, each of them could stand in a run of its own.
    limit = part.num_history_runs if part.num_history_runs is not None else part.num_history_messages
    return WHOLE_SESSION if limit is None else limit


def _as_member(part: Agent | Team | Workflow) -> int:
    """A member counts its own runs, and only the leader knows in which runs of the team it has worked."""
    return WHOLE_SESSION if _own(part) else 0


def _own(part: Agent | Team | Workflow) -> int:
    if isinstance(part, Workflow):
        return _of_workflow(part)
    if _reads_all(part):
        return WHOLE_SESSION
    wanted = [0]
    if part.add_history_to_context:
        wanted.append(_in_context(part))
    if isinstance(part, Team) and part.add_team_history_to_members:
        wanted.append(part.num_team_history_runs)
    return max(wanted)


def _reads_all(part: Agent | Team) -> bool:
    return bool(
        part.read_chat_history
        or (isinstance(part, Agent) and part.read_tool_call_history)
        or part.enable_session_summaries
        or part.session_summary_manager
        or part.learning
        or part.search_past_sessions
        or not OF_THE_SESSION.isdisjoint(media_asked_for(part.tools))
        or any("session" in parameters_of(hook) for hook in _hooks(part))
        or any(map(looks_back, (*functions_of(part.tools), *_hooks(part), *_texts(part))))
        or (isinstance(part, Agent) and part.compaction)
        # Members that a function chooses at run time may be anything.
        or (isinstance(part, Team) and callable(part.members))
    )


def _hooks(part: Agent | Team) -> Iterator[Callable[..., Any]]:
    return filter(callable, [*(part.pre_hooks or ()), *(part.post_hooks or ())])


def _texts(part: Agent | Team) -> Iterator[Callable[..., Any]]:
    return filter(callable, (getattr(part, name) for name in TEXTS))


def _of_workflow(workflow: Workflow) -> int:
    wanted = [0]
    if workflow.add_workflow_history_to_steps:
        wanted.append(workflow.num_history_runs)
    if callable(workflow.steps):  # one function, which is given the session
        return WHOLE_SESSION
    for step in steps(workflow.steps):
        told = getattr(step, "add_workflow_history", None)
        if workflow.add_workflow_history_to_steps if told is None else told:
            wanted.append(getattr(step, "num_history_runs", None) or workflow.num_history_runs)
        if callable(step) or callable(getattr(step, "executor", None)):  # a function may ask its input for the history
            wanted.append(workflow.num_history_runs)
        if any(map(looks_back, _functions_of_step(step))):
            return WHOLE_SESSION
    agent_runs = getattr(workflow.agent, "num_history_runs", None)
    return max(*wanted, agent_runs or 0)


def _functions_of_step(step: object) -> Iterator[Callable[..., Any]]:
    """What is given the input of the step: its function, or the one that decides about it."""
    return filter(callable, (step, *(getattr(step, name, None) for name in ("executor", "evaluator", "selector"))))
