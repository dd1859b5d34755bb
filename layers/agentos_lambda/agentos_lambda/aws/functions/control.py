"""The control function, put together: what executes nothing. It has no engine, and is never behind runs."""

from __future__ import annotations

import secrets

from agentos_lambda.api.app import create_app
from agentos_lambda.api.routes.accounts import account_router
from agentos_lambda.api.routes.components import component_router
from agentos_lambda.api.routes.joined import joined
from agentos_lambda.api.routes.memories import memory_router
from agentos_lambda.api.routes.not_served import not_served_router
from agentos_lambda.api.routes.runs_read import run_state_router
from agentos_lambda.api.routes.session_media import session_media_router
from agentos_lambda.api.routes.session_runs import session_run_router
from agentos_lambda.api.routes.sessions import session_router
from agentos_lambda.api.routes.usage import usage_router
from agentos_lambda.aws.functions.accounts import account_store, known_accounts
from agentos_lambda.aws.functions.clients import prepared_clients
from agentos_lambda.aws.functions.services import services_of
from agentos_lambda.aws.functions.start import begin
from agentos_lambda.aws.functions.wiring import limiter_of, new_id, queue_of, store_of, usage_of
from agentos_lambda.aws.handlers.http import LambdaHandler
from agentos_lambda.aws.metrics import observer_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.service import AccountService
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.service import RunService
from agentos_lambda.sessions.service import SessionService
from agentos_lambda.stores.media_links import S3MediaLinks
from agentos_lambda.usage.service import UsageService


def control_handler() -> LambdaHandler:
    """The function of lists, details, reads and cancels. Every group of routes that needs no engine belongs here."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    clients = prepared_clients()
    accounts = known_accounts(settings, clients)
    services = services_of(settings, clients, accounts)
    store = store_of(settings, clients)
    runs = RunService(
        store,
        clock,
        new_id=new_id,
        observer=observer_of(settings.stack, clock),
        limiter=limiter_of(settings, clients),
    )
    sessions = SessionService(store, queue_of(settings, clients), clock, new_id=new_id)
    routers = (
        *(component_router(kind, services.catalog) for kind in Kind),
        *(run_state_router(kind, services.catalog, runs) for kind in Kind),
        session_router(services.catalog, sessions),
        session_run_router(services.catalog, sessions),
        session_media_router(services.catalog, sessions, S3MediaLinks(settings.bucket, clients)),
        memory_router(services.catalog, MemoryService(store, clock, new_id=new_id)),
        account_router(
            AccountService(
                account_store(settings, clients),
                clock,
                random_bytes=secrets.token_bytes,
                revoked=accounts.forget if accounts is not None else _nothing,
            )
        ),
        usage_router(UsageService(usage_of(settings, clients), clock)),
        not_served_router(),
    )
    return LambdaHandler(create_app(joined(*routers), services), clock)


def _nothing(_account_id: str) -> None:
    """Nobody has to be told."""
