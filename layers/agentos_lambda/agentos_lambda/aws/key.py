"""Where a function reads the security key."""

from __future__ import annotations

from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.security_key import KeySource
from agentos_lambda.stores.secret import SecretKey


def key_of(settings: Settings) -> KeySource:
    """The stack's secret, or a key that is given as it is."""
    if settings.security_key_secret is not None:
        return SecretKey(settings.security_key_secret, SystemClock())
    return lambda: settings.security_key
