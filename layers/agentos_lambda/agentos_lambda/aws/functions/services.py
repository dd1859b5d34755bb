"""What the apps behind the HTTP API have in common."""

from __future__ import annotations

from agentos_lambda.api.context import Os, Services
from agentos_lambda.aws.functions.authority import authority_of
from agentos_lambda.aws.functions.start import catalog
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.stores.clients import Clients


def services_of(settings: Settings, clients: Clients, accounts: KnownAccounts | None = None) -> Services:
    """What every app gets.

    ``accounts``: those of a function that changes them.
    """
    return Services(
        os=Os(settings.os_id, settings.os_name, websocket_url=settings.websocket_url),
        catalog=catalog(),
        clock=SystemClock(),
        authority=authority_of(settings, clients, accounts),
        cors_origins=settings.cors_origins,
    )
