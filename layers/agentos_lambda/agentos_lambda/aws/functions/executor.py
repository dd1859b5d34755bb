"""The executor of a function that runs components."""

from __future__ import annotations

from agentos_lambda.aws.functions.engines import engine, engine_at_once
from agentos_lambda.aws.functions.wiring import slicing_of
from agentos_lambda.aws.runtime.recycle import recycle_soon
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.observer import Observer
from agentos_lambda.runs.ports import RunQueue, Store


def executor_of(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    observer: Observer,
    fan_out: FanOut | None,
    queue: RunQueue,
    limiter: Limiter,
) -> RunExecutor:
    """Executes runs with the deployed components, and hands over those that take longer than the function may."""
    context = ExecutionContext(
        store,
        engine,
        clock,
        engine_at_once=engine_at_once,
        limiter=limiter,
        observer=observer,
        fan_out=fan_out,
        queue=queue,
        slicing=slicing_of(settings),
        recycle=recycle_soon,
    )
    return RunExecutor(context)
