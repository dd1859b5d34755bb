"""What the routes work with. Whoever starts the app puts it together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentos_lambda.identity.authority import Authority
from agentos_lambda.runs.clock import Clock

if TYPE_CHECKING:  # the config function needs none of the ports
    from agentos_lambda.runs.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Os:
    """What a deployment calls itself."""

    id: str = "agentos-lambda"
    name: str = "AgentOS on Lambda"
    description: str | None = None
    websocket_url: str | None = None
    """Where the workflow WebSocket is, if this deployment has one."""


@dataclass(frozen=True, slots=True)
class Services:
    """What every app is made of."""

    os: Os
    catalog: Catalog
    clock: Clock
    authority: Authority
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may read the answers, as ``api.cors.AllowedOrigins`` takes them; AgentOS's own if empty."""
