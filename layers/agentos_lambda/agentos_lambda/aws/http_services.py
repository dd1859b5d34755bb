"""What the apps behind the HTTP API have in common."""

from __future__ import annotations

from agentos_lambda.api.auth import KeySource
from agentos_lambda.api.services import Os, Services
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine.manifest import Manifest
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.stores.secret import SecretKey


def services_of(settings: Settings) -> Services:
    """What every app gets."""
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
