"""The functions that no client calls, put together: worker and sweeper. Neither imports a web framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from agentos_lambda.aws.functions.clients import deployed_clients, own_clients
from agentos_lambda.aws.functions.engines import load_engine_at_start
from agentos_lambda.aws.functions.executor import executor_of
from agentos_lambda.aws.functions.start import begin, catalog
from agentos_lambda.aws.functions.websocket import fan_out, overdue_connections
from agentos_lambda.aws.functions.wiring import limiter_of, new_id, queue_of, store_of
from agentos_lambda.aws.handlers.queue import QueueHandler
from agentos_lambda.aws.logs import request_id
from agentos_lambda.aws.metrics import observer_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.sweeper import Sweeper
from agentos_lambda.runs.worker import Worker
from agentos_lambda.sessions.expiry import SessionExpiry
from agentos_lambda.sessions.removal import SessionRemoval

_SWEEP_MARGIN_MS = 10_000
"""Before the sweeper's own deadline: for the run that it has begun with."""


def worker_handler() -> QueueHandler:
    """The worker function."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    clients = deployed_clients(settings)
    store, observer = store_of(settings, clients), observer_of(settings.stack, clock)
    followed = fan_out(settings, store, clock)
    queue, components = queue_of(settings, clients), catalog()
    limiter = limiter_of(settings, clients)
    executor = executor_of(settings, store, clock, observer=observer, fan_out=followed, queue=queue, limiter=limiter)
    worker = Worker(store, executor, components, clock, new_id=new_id, fan_out=followed, limiter=limiter)
    runs = RunService(store, clock, new_id=new_id, observer=observer, limiter=limiter)
    removal = SessionRemoval(store, runs, components, queue, clock, fan_out=followed)
    load_engine_at_start(settings)
    return QueueHandler(worker, removal, clock)


def sweeper_handler() -> Callable[[Any, Any], dict[str, int]]:
    """The sweeper function: sweeps once for each event, whatever is in it."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    observer = observer_of(settings.stack, clock)
    clients = own_clients()
    store, queue = store_of(settings, clients), queue_of(settings, clients)
    limiter = limiter_of(settings, clients)
    sweeper = Sweeper(store, queue, catalog(), clock, new_id=new_id, observer=observer, limiter=limiter)
    expiry = SessionExpiry(store, queue, clock)
    overdue = overdue_connections(settings, clock)

    def handler(_event: Any, context: Any) -> dict[str, int]:
        request_id.take(context)
        until = clock.now() + context.get_remaining_time_in_millis() - _SWEEP_MARGIN_MS
        swept = asdict(sweeper.sweep(until=until))
        sessions = expiry.sweep(until=until)
        return {
            **swept,
            "expired_sessions": sessions,
            "closed": overdue.close(until=until) if overdue is not None else 0,
        }

    return handler
