"""Fields of a request that only the component knows.

AgentOS hands every further field of a form to ``arun``. From there agno hands it by name to the hooks of an agent or a
team, and to the one function that a workflow may consist of. Here they get what they declare, and nothing that agno
itself gives or hands on: a caller must not stand in for the agent, the session or the user.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from agno.agent import _hooks as agent_hooks
from agno.agent import _run as agent_run
from agno.team import _hooks as team_hooks
from agno.team import _run as team_run
from agno.workflow import Workflow

from agentos_lambda.engine.components.parts import AgnoComponent
from agentos_lambda.engine.isolation.inputs import as_data
from agentos_lambda.protocol.values import JsonObject

_ON_THE_WAY = (agent_run, agent_hooks, team_run, team_hooks, Workflow)
"""Where agno's functions hand on what they do not know."""
_GIVEN = frozenset({"agent", "team", "workflow", "execution_input", "run_input", "run_output", "metadata", "user_id"})
"""What agno gives to hooks and functions by itself, besides the parameters of those on the way."""


def further_arguments(component: AgnoComponent, fields: JsonObject | None) -> dict[str, Any]:
    """Those fields that a hook of the component, or its function, takes; for ``arun``."""
    if not fields:
        return {}
    declared: set[str] = set()
    for function in _functions(component):
        parameters = inspect.signature(function).parameters.values()
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            declared |= fields.keys()
        declared |= {parameter.name for parameter in parameters}
    return {name: as_data(value) for name, value in fields.items() if name in declared - _reserved()}


def _functions(component: AgnoComponent) -> Iterable[Callable[..., Any]]:
    if isinstance(component, Workflow):
        return [component.steps] if callable(component.steps) else []
    return [hook for hook in (*(component.pre_hooks or ()), *(component.post_hooks or ())) if inspect.isroutine(hook)]


@cache
def _reserved() -> frozenset[str]:
    names = set(_GIVEN)
    for place in _ON_THE_WAY:
        for function in filter(inspect.isfunction, vars(place).values()):
            parameters = inspect.signature(function).parameters.values()
            if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
                names |= {parameter.name for parameter in parameters}
    return frozenset(names)
