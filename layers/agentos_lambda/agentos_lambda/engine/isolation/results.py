"""What tools and steps give, as JSON where agno would take what Python prints of an object.

A model, and a client, reads ``str(result)`` of a tool, of what a step's function returns other than a ``StepOutput``,
and of what stood in parallel steps. Of a list or a dict of plain values that is what AgentOS gives,
too; of any other object it is Python's own notation, which tells of classes and not of values.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from copy import copy
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache, wraps
from pathlib import PurePath
from typing import Any
from uuid import UUID

from agno.run.agent import CustomEvent, RunOutput
from agno.run.base import BaseRunOutputEvent
from agno.run.team import TeamRunOutput
from agno.run.workflow import WorkflowRunOutput
from agno.tools.function import FunctionCall, FunctionExecutionResult, ToolResult
from agno.workflow import Parallel, Step, StepInput, StepOutput, Workflow
from agno.workflow.types import StepProgress

from agentos_lambda.engine.to_json import is_plain, plain, plain_object

_AGNOS_OWN = (BaseRunOutputEvent, RunOutput, TeamRunOutput, WorkflowRunOutput, StepOutput, StepProgress, ToolResult)

_OF_ONE_WORD = (Decimal, date, time, timedelta, UUID, PurePath)
"""What Python prints without telling of a class. Alone it is what AgentOS gives; within others it is JSON."""


@cache
def give_values_not_objects() -> None:
    """Have agno take the JSON text of objects that tools give, and of the events that components make."""
    call: Any = FunctionCall
    call.execute = _executing(call.execute)
    call.aexecute = _executing_async(call.aexecute)
    for holder in (Step, Workflow):
        functions: Any = holder
        functions._call_custom_function = _giving(functions._call_custom_function)  # noqa: SLF001
        functions._acall_custom_function = _giving_async(functions._acall_custom_function)  # noqa: SLF001
    parallel: Any = Parallel
    parallel._build_aggregated_content = _of_texts(parallel._build_aggregated_content)  # noqa: SLF001
    step_output: Any = StepOutput
    step_output.to_dict = _with_content(step_output.to_dict)
    step_input: Any = StepInput
    step_input.to_dict = _with_previous(step_input.to_dict)
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
    if isinstance(result, _OF_ONE_WORD):
        return str(result)
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


def _giving(call: Callable[..., Any]) -> Callable[..., Any]:
    """agno's call of a function that a step, or a workflow, consists of."""

    @wraps(call)
    def called(holder: Step | Workflow, *arguments: Any, **options: Any) -> Any:
        return _given(holder, call(holder, *arguments, **options))

    return called


def _giving_async(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    async def called(holder: Step | Workflow, *arguments: Any, **options: Any) -> Any:
        return _given(holder, await call(holder, *arguments, **options))

    return called


def _given(holder: Step | Workflow, result: Any) -> Any:
    # A workflow keeps what its function returns as it is, and joins what it yields.
    return (
        result if isinstance(holder, Workflow) and not isinstance(result, AsyncIterator | Iterator) else _text(result)
    )


def _of_texts(join: Callable[..., str]) -> Callable[..., str]:
    """agno's text of what parallel steps gave."""

    @wraps(join)
    def joined(parallel: Parallel, outputs: Sequence[StepOutput]) -> str:
        texts = [copy(output) for output in outputs]
        for output in texts:
            output.content = _text(output.content)
        return join(parallel, texts)

    return joined


def _with_previous(to_dict: Callable[..., Any]) -> Callable[..., Any]:
    """agno writes objects within the content of the step before as Python prints them."""

    @wraps(to_dict)
    def written(given: StepInput) -> dict[str, Any]:
        result: dict[str, Any] = to_dict(given)
        if not is_plain(given.previous_step_content):
            result["previous_step_content"] = json.dumps(plain(given.previous_step_content), ensure_ascii=False)
        return result

    return written


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
