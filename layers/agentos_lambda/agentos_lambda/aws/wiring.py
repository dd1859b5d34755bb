"""Puts the functions together: settings, stores, engine, apps, handlers. What is costly is made when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any
from uuid import uuid4

from fastapi import APIRouter

from agentos_lambda.api.app import create_app
from agentos_lambda.api.components import component_router
from agentos_lambda.api.discovery import discovery_router
from agentos_lambda.api.run_state import run_state_router
from agentos_lambda.api.runs import run_router
from agentos_lambda.api.services import Os, Services
from agentos_lambda.aws.handler import LambdaHandler
from agentos_lambda.aws.queue_events import QueueHandler
from agentos_lambda.aws.settings import Settings
from agentos_lambda.aws.websocket_events import WebSocketHandler
from agentos_lambda.aws.websocket_wiring import fan_out, websocket
from agentos_lambda.engine.manifest import Manifest
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import Kind
from agentos_lambda.runs.ports import Engine, RunQueue, Store
from agentos_lambda.runs.security_key import KeySource
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.sweeper import Sweeper
from agentos_lambda.runs.worker import Worker
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.secret import SecretKey
from agentos_lambda.stores.sqs import SqsQueue


def discovery_handler() -> LambdaHandler:
    """The config function."""
    services = _services(Settings.from_environment())
    return LambdaHandler(create_app(discovery_router(services), services))


def runs_handler(kind: Kind) -> LambdaHandler:
    """The function of agents, of teams or of workflows."""
    settings = Settings.from_environment()
    services = _services(settings)
    store, clock = _store(settings), services.clock
    runs = RunService(store, clock, new_id=_new_id)
    told = fan_out(settings, store, clock, new_id=_new_id) if kind is Kind.WORKFLOW else None
    executor = RunExecutor(store, _engine, clock, fan_out=told)
    intake = RunIntake(store, _queue(settings), executor, clock, new_id=_new_id, queue_limit=settings.queue_limit)
    router = APIRouter()
    router.include_router(component_router(kind, services.catalog))
    router.include_router(run_state_router(kind, services.catalog, runs))
    router.include_router(run_router(kind, services.catalog, intake, runs, clock))
    return LambdaHandler(create_app(router, services, at_end=executor.idle))


def worker_handler() -> QueueHandler:
    """The worker function."""
    settings = Settings.from_environment()
    store, clock = _store(settings), SystemClock()
    told = fan_out(settings, store, clock, new_id=_new_id)
    executor = RunExecutor(store, _engine, clock, fan_out=told)
    worker = Worker(store, executor, Manifest.load(), clock, new_id=_new_id, fan_out=told)
    return QueueHandler(worker, clock)


def sweeper_handler() -> Callable[[Any, Any], dict[str, int]]:
    """The sweeper function: sweeps once for each event, whatever is in it."""
    settings = Settings.from_environment()
    sweeper = Sweeper(_store(settings), _queue(settings), Manifest.load(), SystemClock(), new_id=_new_id)

    def handler(_event: Any, _context: Any) -> dict[str, int]:
        return asdict(sweeper.sweep())

    return handler


def websocket_handler() -> WebSocketHandler:
    """The function behind the WebSocket API."""
    settings, clock = Settings.from_environment(), SystemClock()
    store = _store(settings)
    executor = RunExecutor(store, _engine, clock)
    return websocket(
        settings,
        catalog=Manifest.load(),
        store=store,
        runs=RunService(store, clock, new_id=_new_id),
        intake=RunIntake(store, _queue(settings), executor, clock, new_id=_new_id, queue_limit=settings.queue_limit),
        key=_key_source(settings),
        clock=clock,
        new_id=_new_id,
    )


def _services(settings: Settings) -> Services:
    return Services(
        os=Os(settings.os_id, settings.os_name, websocket_url=settings.websocket_url),
        catalog=Manifest.load(),
        clock=SystemClock(),
        key=_key_source(settings),
        cors_origins=settings.cors_origins,
    )


def _key_source(settings: Settings) -> KeySource:
    if settings.security_key_secret is not None:
        return SecretKey(settings.security_key_secret, SystemClock())
    return lambda: settings.security_key


def _store(settings: Settings) -> Store:
    tables = Tables(settings.runs_table, settings.sessions_table, settings.events_table, settings.bucket)
    return DynamoDBStore(tables, events_ttl_seconds=settings.events_ttl)


def _queue(settings: Settings) -> RunQueue:
    return SqsQueue(settings.queue_url)


@cache
def _engine() -> Engine:
    from agentos_lambda.engine.agno_engine import AgnoEngine  # noqa: PLC0415 - not before the first run

    return AgnoEngine()


def _new_id() -> str:
    return str(uuid4())
