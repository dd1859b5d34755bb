"""What a component is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agno.agent import Agent
from agno.models.base import Model
from agno.team import Team
from agno.workflow import Workflow

AgnoComponent = Agent | Team | Workflow

HOLDERS = ("agent", "team", "workflow", "members", "steps", "else_steps", "choices")
"""Attributes of teams, workflows and all kinds of steps that hold further components or steps."""

TEXTS = ("instructions", "system_message")
"""Attributes of agents and teams that are a text, or a function that gives one."""


def parts(component: object) -> Iterator[AgnoComponent]:
    """The component itself, then everything within it that can run: members and steps, at any depth.

    Members or steps that a function gives only at run time are not seen: see ``engine.given``.
    """
    if isinstance(component, Agent | Team | Workflow):
        yield component
    if isinstance(component, list | tuple):
        for item in component:
            yield from parts(item)
    elif component is not None and not isinstance(component, Agent):
        for holder in HOLDERS:
            yield from parts(getattr(component, holder, None))


def with_reasoning_agents(some: Iterable[AgnoComponent]) -> Iterator[AgnoComponent]:
    """Each part, and after it the agent that reasons for it, if it has one."""
    for part in some:
        yield part
        reasoning_agent = getattr(part, "reasoning_agent", None)
        if reasoning_agent is not None:
            yield reasoning_agent


def steps(component: object) -> Iterator[object]:
    """All steps of a workflow at any depth: steps, groups of steps, components and plain functions."""
    if isinstance(component, list | tuple):
        for item in component:
            yield item
            yield from steps(item)
    elif component is not None and not isinstance(component, Agent | Team):
        for holder in ("steps", "else_steps", "choices"):
            yield from steps(getattr(component, holder, None))


def models_of(component: object) -> Iterator[Model]:
    """Every model of the component and its parts, each once: also those of managers, for reasoning, for parsing.

    Models that a function makes only at run time are not seen.
    """
    seen: set[int] = set()
    for part in parts(component):
        yield from _models_in(vars(part), seen, depth=3)


def _models_in(value: object, seen: set[int], *, depth: int) -> Iterator[Model]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Model):
        yield value
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from _models_in(item, seen, depth=depth)
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _models_in(item, seen, depth=depth)
    elif depth and type(value).__module__.startswith("agno.") and not isinstance(value, Agent | Team | Workflow):
        yield from _models_in(getattr(value, "__dict__", {}), seen, depth=depth - 1)
