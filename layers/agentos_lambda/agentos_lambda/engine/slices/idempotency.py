"""A key for each call of a tool, by which whatever the tool calls can tell a repeated call from a new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

from agno.tools.function import FunctionCall

from agentos_lambda.engine.slices.safe_points import current_run

_call: ContextVar[str | None] = ContextVar("call", default=None)


def idempotency_key() -> str | None:
    """Within a tool: the run's id and the call's, which the model has given. None outside of a tool.

    A durable run whose executor died in the middle of a batch of tools asks the model again. Only models that give the
    same ids then give the same key.
    """
    return _call.get()


@cache
def key_calls() -> None:
    """Have agno tell each tool its key."""
    call: Any = FunctionCall
    call.execute, call.aexecute = _keyed(call.execute), _keyed_async(call.aexecute)


def _key(call: FunctionCall) -> str | None:
    run_id = current_run()
    return None if run_id is None or call.call_id is None else f"{run_id}:{call.call_id}"


def _keyed(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    def executed(call: FunctionCall, *arguments: Any, **options: Any) -> Any:
        token = _call.set(_key(call))
        try:
            return execute(call, *arguments, **options)
        finally:
            _call.reset(token)

    return executed


def _keyed_async(execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(execute)
    async def executed(call: FunctionCall, *arguments: Any, **options: Any) -> Any:
        token = _call.set(_key(call))
        try:
            return await execute(call, *arguments, **options)
        finally:
            _call.reset(token)

    return executed
