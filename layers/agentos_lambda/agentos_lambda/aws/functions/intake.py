"""The intake of a function that accepts runs."""

from __future__ import annotations

from collections.abc import Callable

from agentos_lambda.aws.functions.wiring import new_id
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.engine_ports import Engine
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.sessions.expiry import SessionExpiry
from agentos_lambda.stores.dynamodb import DynamoDBStore
from agentos_lambda.stores.sqs import SqsQueue


def intake_of(
    settings: Settings,
    store: DynamoDBStore,
    queue: SqsQueue,
    executor: RunExecutor,
    clock: Clock,
    *,
    engine: Callable[[], Engine],
    limiter: Limiter,
) -> RunIntake:
    """``engine`` and ``limiter`` are the executor's."""
    return RunIntake(
        store,
        queue,
        executor,
        clock,
        engine=engine,
        new_id=new_id,
        queue_limit=settings.queue_limit,
        expired=SessionExpiry(store, queue, clock).removed,
        limiter=limiter,
    )
