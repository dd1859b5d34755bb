"""Components as AgentOS can describe them: copies, whose own functions may fail without a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from agno.agent import Agent
from agno.knowledge.protocol import KnowledgeProtocol
from agno.team import Team
from agno.tools import Function, Toolkit
from agno.utils.callables import is_callable_factory

from agentos_lambda.engine.components.parts import HOLDERS, TEXTS, AgnoComponent, parts

_GIVEN_AT_RUN_TIME = (*TEXTS, "tools", "knowledge", "members")
"""What a function may give that wants a run, which there is none of here."""


def describable(components: list[AgnoComponent]) -> list[AgnoComponent]:
    """Copies of the components: AgentOS changes what it is given. A member or a step that is a component of its own is
    one in the copies, too."""
    copies = {id(component): component.deep_copy() for component in components}
    for component in components:
        _share(component, copies[id(component)], copies)
    for copy in copies.values():
        for part in parts(copy):
            if isinstance(part, Agent | Team):
                _forgive(part)
    return list(copies.values())


def _share(original: Any, copy: Any, copies: Mapping[int, AgnoComponent]) -> None:
    """Put the copies of components in the place of the copies that were made of them as parts."""
    for holder in HOLDERS:
        within, copied = getattr(original, holder, None), getattr(copy, holder, None)
        if isinstance(within, list) and isinstance(copied, list):
            for place, (item, its_copy) in enumerate(zip(within, copied, strict=True)):
                if id(item) in copies:
                    copied[place] = copies[id(item)]
                else:
                    _share(item, its_copy, copies)
        elif id(within) in copies:
            setattr(copy, holder, copies[id(within)])
            if hasattr(copy, "active_executor"):
                copy.active_executor = copies[id(within)]
        elif within is not None and not callable(within):
            _share(within, copied, copies)


def _forgive(part: Agent | Team) -> None:
    for name in _GIVEN_AT_RUN_TIME:
        given = getattr(part, name, None)
        if given is not None and is_callable_factory(given, excluded_types=(Toolkit, Function, KnowledgeProtocol)):
            nothing: list[Any] | None = None if name in (*TEXTS, "knowledge") else []
            setattr(part, name, _or_nothing(given, nothing))


def _or_nothing(function: Callable[..., Any], nothing: Any) -> Callable[..., Any]:
    """The function, which gives nothing where it fails: it may want what only a run has."""

    @wraps(function)
    async def call_async(*arguments: Any, **options: Any) -> Any:
        try:
            return await function(*arguments, **options)
        except Exception:  # noqa: BLE001  an edge: a component's own code, called as it is not meant to be
            return nothing

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception:  # noqa: BLE001  as above
            return nothing

    waits = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
    return call_async if waits else call
