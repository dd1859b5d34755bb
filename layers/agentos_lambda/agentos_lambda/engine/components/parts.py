"""What a component is made of."""

from __future__ import annotations

from collections.abc import Iterator

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Workflow

AgnoComponent = Agent | Team | Workflow

_HOLDERS = ("agent", "team", "workflow", "members", "steps", "else_steps", "choices")
"""Attributes of teams, workflows and all kinds of steps that hold further components or steps."""


def parts(component: object) -> Iterator[AgnoComponent]:
    """The component itself, then everything within it that can run: members and steps, at any depth.

    Members or steps that a function gives only at run time are not seen.
    """
    if isinstance(component, Agent | Team | Workflow):
        yield component
    if isinstance(component, list | tuple):
        for item in component:
            yield from parts(item)
    elif component is not None and not isinstance(component, Agent):
        for holder in _HOLDERS:
            yield from parts(getattr(component, holder, None))


def steps(component: object) -> Iterator[object]:
    """All steps of a workflow at any depth: steps, groups of steps, components and plain functions."""
    if isinstance(component, list | tuple):
        for item in component:
            yield item
            yield from steps(item)
    elif component is not None and not isinstance(component, Agent | Team):
        for holder in ("steps", "else_steps", "choices"):
            yield from steps(getattr(component, holder, None))
