"""The copies of components that one run works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from functools import update_wrapper
from inspect import signature
from typing import Any

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Workflow

from agentos_lambda.engine.components.parts import AgnoComponent, parts, with_reasoning_agents
from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.isolation.functions import run_functions_in_threads, run_hooks_in_threads
from agentos_lambda.engine.isolation.inputs import take_objects_as_text

_REMEMBERING = ("update_memory_on_run", "enable_agentic_memory", "search_past_sessions")
"""Settings for which a member needs a database, though it has none of its own."""


def own_copy(template: AgnoComponent, database: RunDatabase) -> AgnoComponent:
    """A copy for one run. The template never runs: once it was a member it keeps its team, and saves nothing alone."""
    component: AgnoComponent = _copied(template)
    component.db = database
    _make_own(component, database, in_workflow=isinstance(component, Workflow))
    return component


def given_copy(given: Any, database: RunDatabase, *, in_workflow: bool) -> Any:
    """A copy of a part that a function gives at run time: of a member, or of a step of any kind."""
    if isinstance(given, Agent | Team):
        part = _copied(given)
        _make_own(part, database, in_workflow=in_workflow)
        return part
    holder = _copied(Workflow(steps=[given]))
    _make_own(holder, database, in_workflow=True)
    steps: Any = holder.steps
    return steps[0]


def _make_own(component: AgnoComponent, database: RunDatabase, *, in_workflow: bool) -> None:
    for part in parts(component):
        part.telemetry = False
        part.store_events = False
        if isinstance(part, Team):
            # As AgentOS does. A step would list its team's members beside the team, and a continuation then takes a
            # member's run for the team's.
            part.store_member_responses = not in_workflow
            if in_workflow and callable(part.members):
                part.members = _MembersToCome(part.members)
        if isinstance(part, Workflow):
            run_functions_in_threads(part)
        else:
            run_hooks_in_threads(part)
            take_objects_as_text(part)
            database.note_part(part)
    for part in with_reasoning_agents(parts(component)):
        if part.db is not None or any(getattr(part, name, False) for name in _REMEMBERING):
            part.db = database
        if not isinstance(part, Workflow) and part.memory_manager is not None:
            # The copy shares the template's: agno would leave this run's database and model in it.
            part.memory_manager = copy(part.memory_manager)
            part.memory_manager.db = database


def _copied(component: Any) -> Any:
    for part in parts(component):
        _remember_signature(type(part))
    return component.deep_copy()


def _remember_signature(kind: Any) -> None:
    """agno asks for it whenever it makes a copy, and Python would make it anew: a tenth of a run (PEP 362)."""
    init = kind.__init__
    if not hasattr(init, "__signature__"):
        init.__signature__ = signature(init)


class _MembersToCome:
    """A function that gives members, and holds none: agno's workflows count and go through the members of their steps'
    teams before they run, whatever those are."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        update_wrapper(self, function)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._function(*arguments, **options)

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())
