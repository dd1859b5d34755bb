"""The routes of the template's WebSocket API."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from local.settings import InvalidTemplate

ROUTE = "AWS::ApiGatewayV2::Route"
INTEGRATION = "AWS::ApiGatewayV2::Integration"

Resources = Mapping[str, Mapping[str, Any]]
"""Logical id -> resolved properties."""


def websocket_routes(routes: Resources, integrations: Resources, functions: Collection[str]) -> dict[str, str]:
    """Route key -> logical id of its function. Raises ``InvalidTemplate``."""
    found = {}
    for name, route in routes.items():
        integration = integrations.get(str(route.get("Target", "")).removeprefix("integrations/"), {})
        target = re.search(r"functions/(\w+)", str(integration.get("IntegrationUri", "")))
        if target is None or target[1] not in functions:
            raise InvalidTemplate(f"{name} leads to no function of the template")
        found[route["RouteKey"]] = target[1]
    return found


def route_key(routes: Collection[str], text: str) -> str | None:
    """The route of a message: the one that ``$request.body.action`` names, otherwise ``$default``, otherwise None.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    action = message.get("action") if isinstance(message, dict) else None
    named = isinstance(action, str) and not action.startswith("$") and action in routes
    return str(action) if named else "$default" if "$default" in routes else None
