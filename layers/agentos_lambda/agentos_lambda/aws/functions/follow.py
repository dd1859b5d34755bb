"""The follow function, put together: the log of a run as a stream. It has no engine, and is never behind runs."""

from __future__ import annotations

from agentos_lambda.api.app import create_app
from agentos_lambda.api.routes.joined import joined
from agentos_lambda.api.routes.resume import resume_router
from agentos_lambda.aws.functions.clients import prepared_clients
from agentos_lambda.aws.functions.services import services_of
from agentos_lambda.aws.functions.start import begin
from agentos_lambda.aws.functions.wiring import new_id, store_of
from agentos_lambda.aws.handlers.http import LambdaHandler
from agentos_lambda.aws.settings import Settings
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.service import RunService


def follow_handler() -> LambdaHandler:
    """The function of ``…/resume``."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    clients = prepared_clients()
    services = services_of(settings, clients)
    runs = RunService(store_of(settings, clients), clock, new_id=new_id)
    routers = (resume_router(kind, services.catalog, runs) for kind in Kind)
    return LambdaHandler(create_app(joined(*routers), services), clock)
