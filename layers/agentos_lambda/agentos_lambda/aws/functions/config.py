"""The config function, put together. It starts without the stores of runs, the SDK of AWS and the engine."""

from __future__ import annotations

from agentos_lambda.api.app import create_app
from agentos_lambda.api.openapi.document import api_document
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.aws.functions.clients import own_clients
from agentos_lambda.aws.functions.services import services_of
from agentos_lambda.aws.functions.start import begin
from agentos_lambda.aws.handlers.http import LambdaHandler
from agentos_lambda.aws.settings import Settings
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.clock import SystemClock


def discovery_handler() -> LambdaHandler:
    """The config function."""
    settings, clock = Settings.from_environment(), SystemClock()
    begin(settings, clock)
    services = services_of(settings, own_clients())
    router = discovery_router(services, lambda: api_document(_build_document))
    return LambdaHandler(create_app(router, services), clock)


def _build_document() -> JsonObject:
    from agentos_lambda.api.openapi.build_document import build_document  # noqa: PLC0415 - imports the routes of runs

    return build_document()
