"""The functions of agents, teams and workflows, put together."""

from __future__ import annotations

from agentos_lambda.api.app import create_app
from agentos_lambda.api.routes.joined import joined
from agentos_lambda.api.routes.kinds import kind_router
from agentos_lambda.api.routes.optimize import optimize_router
from agentos_lambda.aws.functions.accounts import known_accounts
from agentos_lambda.aws.functions.clients import deployed_clients
from agentos_lambda.aws.functions.engines import engine, load_engine_at_start
from agentos_lambda.aws.functions.executor import executor_of
from agentos_lambda.aws.functions.intake import intake_of
from agentos_lambda.aws.functions.services import services_of
from agentos_lambda.aws.functions.start import begin
from agentos_lambda.aws.functions.wiring import limiter_of, new_id, queue_of, store_of
from agentos_lambda.aws.handlers.http import LambdaHandler
from agentos_lambda.aws.metrics import observer_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.memories.optimizing import MemoryOptimizer
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock, SystemClock
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.service import RunService

_BUFFERED_MS = 24_000
"""API Gateway waits 29 seconds for a whole answer. The rest is for a cold start and for the answer itself."""


def runs_handler(kind: Kind) -> LambdaHandler:
    """The function of agents, of teams or of workflows."""
    settings = Settings.from_environment()
    begin(settings, SystemClock())
    clients = deployed_clients(settings)
    accounts = known_accounts(settings, clients)
    services = services_of(settings, clients, accounts)
    store, clock = store_of(settings, clients), services.clock
    observer = observer_of(settings.stack, clock)
    limiter = limiter_of(settings, clients)
    runs = RunService(store, clock, new_id=new_id, observer=observer, limiter=limiter)
    followed = _fan_out(settings, store, clock, accounts) if kind is Kind.WORKFLOW else None
    queue = queue_of(settings, clients)
    executor = executor_of(settings, store, clock, observer=observer, fan_out=followed, queue=queue, limiter=limiter)
    intake = intake_of(settings, store, queue, executor, clock, engine=engine, limiter=limiter)
    routers = [kind_router(kind, services.catalog, intake, runs, clock)]
    if kind is Kind.AGENT:
        # It needs an engine and a model, as agents do, and no function of its own.
        optimizer = MemoryOptimizer(store, engine, clock, new_id=new_id)
        routers.append(optimize_router(services.catalog, optimizer, clock))
    app = create_app(joined(*routers), services, at_end=executor.idle)
    load_engine_at_start(settings)
    return LambdaHandler(app, clock, answer_within_ms=_BUFFERED_MS)


def _fan_out(settings: Settings, store: Store, clock: Clock, accounts: KnownAccounts | None) -> FanOut | None:
    from agentos_lambda.aws.functions.websocket import fan_out  # noqa: PLC0415 - agents and teams have no followers

    return fan_out(settings, store, clock, accounts)
