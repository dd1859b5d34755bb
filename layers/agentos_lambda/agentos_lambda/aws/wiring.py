"""Puts the functions together: settings, stores, engine, apps, handlers. What is costly is made when it is needed."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter

from agentos_lambda.api.app import create_app
from agentos_lambda.api.auth import KeySource
from agentos_lambda.api.components import component_router
from agentos_lambda.api.discovery import discovery_router
from agentos_lambda.api.runs import run_router
from agentos_lambda.api.services import Os, Services
from agentos_lambda.aws.handler import LambdaHandler
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine.manifest import Manifest
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.model import Kind
from agentos_lambda.runs.ports import Engine, Store
from agentos_lambda.runs.service import RunService
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.secret import SecretKey


def discovery_handler() -> LambdaHandler:
    """The config function."""
    services = _services(Settings.from_environment())
    return LambdaHandler(create_app(discovery_router(services), services))


def runs_handler(kind: Kind) -> LambdaHandler:
    """The function of agents, of teams or of workflows."""
    settings = Settings.from_environment()
    services = _services(settings)
    runs = RunService(_store(settings), _engine, services.clock)
    router = APIRouter()
    router.include_router(component_router(kind, services.catalog))
    router.include_router(run_router(kind, services.catalog, runs, services.clock))
    return LambdaHandler(create_app(router, services))


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


@cache
def _engine() -> Engine:
    from agentos_lambda.engine.agno_engine import AgnoEngine  # noqa: PLC0415 - not before the first run

    return AgnoEngine()
