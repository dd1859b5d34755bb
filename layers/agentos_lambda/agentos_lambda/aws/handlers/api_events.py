"""What the fields of an API Gateway event mean for an ASGI app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from agentos_lambda.aws.handlers.cycle import Scope


def is_http(event: Any) -> bool:
    """Whether the event is a request of a REST API, an HTTP API or a function URL (not of a WebSocket API)."""
    if not isinstance(event, dict):
        return False
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)


def stage_prefix(event: Mapping[str, Any]) -> str:
    """What stands before the app's own path in the URL: ``/prod``, or nothing behind a custom domain.

    A REST API's event has the path without its stage under ``path``, and with it under ``requestContext``.
    """
    path = unquote(event.get("path") or "/")
    requested = unquote(event["requestContext"].get("path") or "")
    if path == "/":
        return requested.rstrip("/")
    return requested.removesuffix(path) if requested.endswith(path) else ""


def mount(scope: Scope) -> None:
    """Tell the app of the stage, the ASGI way: ``root_path`` is the prefix, and ``path`` begins with it."""
    prefix = stage_prefix(scope["aws.event"])
    scope["root_path"] = prefix
    scope["path"] = prefix + scope["path"]
