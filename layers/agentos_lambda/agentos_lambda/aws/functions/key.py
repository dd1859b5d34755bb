"""Where a function reads the security key."""

from __future__ import annotations

import logging

from agentos_lambda.aws.settings import Settings
from agentos_lambda.protocol.security_key import KeySource
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.secret import SecretKey

log = logging.getLogger(__name__)


def key_of(settings: Settings, clients: Clients) -> KeySource:
    """The stack's secret, or a key from the environment. Only what is not deployed may do without: then it is open."""
    if settings.security_key_secret is not None:
        return SecretKey(settings.security_key_secret, SystemClock(), clients=clients)
    if settings.security_key is None and settings.stack is not None and not settings.under_sam_local:
        log.error("SECURITY_KEY_SECRET names no secret: nobody is let in")
        return _no_key
    return lambda: settings.security_key


def _no_key() -> str:
    raise StoreUnavailable("no security key is configured")
