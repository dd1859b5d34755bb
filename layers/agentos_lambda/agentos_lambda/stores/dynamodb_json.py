"""Has a client of DynamoDB send the parameters of a request as they are.

They are what is sent, except for bytes, which JSON has as base64. botocore would copy them by its model of the service,
and search them for ARNs of tables, on which endpoints may depend; our tables have names. That is a seventh of what a
request takes.
"""

from __future__ import annotations

import base64
import json
from typing import Any

_BODY = "agentos_body"


def send_as_it_is(client: Any) -> None:
    """Have this client do so from now on. Its parameters are not validated."""
    client.meta.events.register("provide-client-params.dynamodb", _put_aside)
    client.meta.events.register("before-call.dynamodb", _put_back)


def _put_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_BODY] = json.dumps(params, default=_base64).encode()
    return {"RequestItems": {}} if "RequestItems" in params else {}  # its search of these fails if they are missing


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context[_BODY]


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()
