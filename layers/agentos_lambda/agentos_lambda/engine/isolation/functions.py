"""Plain functions of components, off the event loop.

agno calls a plain function in the event loop itself, be it a workflow's step, a condition of one, a hook or what gives
instructions: until it returned nothing else could happen there, not even a cancel. (Tools run in threads anyway.)
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from agno.agent import Agent
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.components.parts import TEXTS

_LISTS = ("steps", "else_steps", "choices")
_DECISIONS = ("evaluator", "selector", "end_condition")
"""Of conditions, routers and loops."""
_HOOKS = ("pre_hooks", "post_hooks")
_END = object()


def run_functions_in_threads(steps: object) -> None:
    """Make the functions of a workflow's steps, at any depth, asynchronous. The workflow has to be a run's own copy."""
    _replace(steps, _DECISIONS)
    for name in _LISTS:
        items = getattr(steps, name, None)
        if isinstance(items, list):
            setattr(steps, name, [_asynchronous(item) for item in items])
            for item in items:
                if isinstance(item, Step):
                    executor: Any = item.active_executor
                    item.active_executor = _asynchronous(executor)
                elif not isinstance(item, Workflow):
                    run_functions_in_threads(item)


def run_hooks_in_threads(part: Agent | Team) -> None:
    """Make the hooks of an agent or team, and what gives its instructions, asynchronous. It has to be a run's own."""
    _replace(part, TEXTS)
    for name in _HOOKS:
        hooks = getattr(part, name)
        if hooks is not None:
            setattr(part, name, [_asynchronous(hook) for hook in hooks])


def _replace(holder: object, names: tuple[str, ...]) -> None:
    for name in names:
        function = getattr(holder, name, None)
        if function is not None:
            setattr(holder, name, _asynchronous(function))


def _asynchronous(item: Any) -> Any:
    """A plain function, or a generator function, as an asynchronous one; anything else as it is."""
    if not inspect.isroutine(item) or inspect.iscoroutinefunction(item) or inspect.isasyncgenfunction(item):
        return item
    return _iterated_in_threads(item) if inspect.isgeneratorfunction(item) else _called_in_a_thread(item)


def _called_in_a_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **options: Any) -> Any:
        return await asyncio.to_thread(function, *args, **options)

    return call


def _iterated_in_threads(function: Callable[..., Iterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    @wraps(function)
    async def iterate(*args: Any, **options: Any) -> AsyncIterator[Any]:
        items = function(*args, **options)
        while (item := await asyncio.to_thread(next, items, _END)) is not _END:
            yield item

    return iterate
