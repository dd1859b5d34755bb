"""The config function, put together. It imports nothing of runs and stores: it answers at a cold start."""

from __future__ import annotations

from agentos_lambda.api.app import create_app
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.aws.functions.services import services_of
from agentos_lambda.aws.functions.start import begin
from agentos_lambda.aws.handlers.http import LambdaHandler
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import SystemClock


def discovery_handler() -> LambdaHandler:
    """The config function."""
    settings = Settings.from_environment()
    begin(settings, SystemClock())
    services = services_of(settings)
    return LambdaHandler(create_app(discovery_router(services), services))
