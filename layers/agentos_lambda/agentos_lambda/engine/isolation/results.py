"""What tools and steps give, as JSON where agno would take what Python prints of an object.

A model, and a client, reads ``str(result)`` of a tool. Of a list or a dict of plain values that is what AgentOS gives,
too; of any other object it is Python's own notation, which tells of classes and not of values.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache, wraps
from typing import Any

from agno.run.agent import CustomEvent, RunOutput
from agno.run.base import BaseRunOutputEvent
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput
from agno.tools.function import FunctionCall, FunctionExecutionResult, ToolResult
from agno.workflow import StepOutput

from agentos_lambda.engine.to_json import is_plain, plain, plain_object

_AGNOS_OWN = (BaseRunOutputEvent, RunOutput, TeamRunOutput, WorkflowRunOutput, StepOutput, ToolResult)


@cache
def give_values_not_objects() -> None:
    """Have agno take the JSON text of objects that tools give, and of the events that components make."""
    call: Any = FunctionCall
    call.execute = _executing(call.execute)
    call.aexecute = _executing_async(call.aexecute)
    step_output: Any = StepOutput
    step_output.to_dict = _with_content(step_output.to_dict)
    event: Any = CustomEvent
    event.__str__ = _as_json


def _executing(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    def executed(call: FunctionCall) -> FunctionExecutionResult:
        return _readable(call, execute(call))

    return executed


def _executing_async(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    async def executed(call: FunctionCall) -> FunctionExecutionResult:
        return _readable(call, await execute(call))

    return executed


def _readable(call: FunctionCall, done: FunctionExecutionResult) -> FunctionExecutionResult:
    if done.result is not None:
        call.result = done.result = _text(done.result)
    elif call.result is not None:
        call.result = _text(call.result)
    return done


def _text(result: Any) -> Any:
    """The result, or its JSON text, or an iterator of such; what agno makes something of, as it is."""
    if is_plain(result) or isinstance(result, _AGNOS_OWN):
        return result
    if isinstance(result, AsyncIterator):
        return _texts_async(result)
    if isinstance(result, Iterator):
        return _texts(result)
    value = plain(result)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _texts(items: Iterator[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, Iterator):
            yield from _texts(item)
        else:
            yield _text(item)


async def _texts_async(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for item in items:
        if isinstance(item, AsyncIterator):
            async for inner in _texts_async(item):
                yield inner
        elif isinstance(item, Iterator):
            for inner in _texts(item):
                yield inner
        else:
            yield _text(item)


def _with_content(to_dict: Callable[..., Any]) -> Callable[..., Any]:
    """agno writes a step's content as Python prints it, unless it is a model, a dict or a list."""

    @wraps(to_dict)
    def written(output: StepOutput) -> dict[str, Any]:
        result: dict[str, Any] = to_dict(output)
        if isinstance(result["content"], str) and not isinstance(output.content, str):
            result["content"] = plain(output.content)
        return result

    return written


def _as_json(event: CustomEvent) -> str:
    return json.dumps(plain_object(event.to_dict()), ensure_ascii=False)
