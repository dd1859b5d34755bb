"""What the fields of an API Gateway event mean for an ASGI app."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from agentos_lambda.aws.handlers.cycle import Scope

_VARIABLE = re.compile(r"\{(\w+)\+?\}")
"""A variable part of a resource: ``{agent_id}`` or ``{proxy+}``."""


def is_http(event: Any) -> bool:
    """Whether the event is a request of a REST API, an HTTP API or a function URL (not of a WebSocket API)."""
    if not isinstance(event, dict):
        return False
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)


def wants_whole_answer(event: Mapping[str, Any]) -> bool:
    """Whether the stage that passed the request on takes whole answers only.

    The stage says so itself, in a variable: it changes at another moment than its functions.
    """
    return (event.get("stageVariables") or {}).get("responseMode") == "buffered"


def mount(scope: Scope) -> None:
    """Tell the app what stands before it in the URL, the ASGI way: in ``root_path``, and before its own ``path``.

    The prefix is a stage such as ``/v1``, or the base path of a custom domain, or nothing.
    """
    event = scope["aws.event"]
    own = _own_path(event, scope["path"])
    prefix = _prefix(event, scope["path"], own)
    scope["root_path"] = prefix
    scope["path"] = prefix + own


def _own_path(event: Mapping[str, Any], path: str) -> str:
    """The path without a custom domain's base path, which API Gateway leaves in it. ``path`` is decoded.

    A REST API's event names the resource and its path parameters, which a base path does not change.
    """
    resource, parameters = event.get("resource"), event.get("pathParameters") or {}
    if not resource:
        return path
    # API Gateway hands on parameters as they stand in the path. Some emulators decode them.
    for values in ({name: unquote(value) for name, value in parameters.items()}, parameters):
        own = _filled(resource, values).rstrip("/")
        if path.rstrip("/").endswith(own):
            slashes = path[len(path.rstrip("/")) :]
            return f"{own}{slashes}" or "/"
    return path


def _filled(resource: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda variable: values.get(variable[1], variable[0]), resource)


def _prefix(event: Mapping[str, Any], path: str, own: str) -> str:
    """What stands before the app's own path in the URL.

    ``path`` has no stage. ``requestContext`` has the whole path of the URL, but an emulator may put the resource there.
    """
    requested, end = unquote(event["requestContext"].get("path") or ""), own.rstrip("/")
    wholes = (whole.rstrip("/") for whole in (requested, path))
    return max((whole.removesuffix(end) for whole in wholes if whole.endswith(end)), key=len, default="")
