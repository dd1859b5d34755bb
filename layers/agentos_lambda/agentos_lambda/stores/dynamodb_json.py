"""Has a client of DynamoDB send the parameters of a request as they are.

They are what is sent, except for bytes, which JSON has as base64. botocore would copy them by its model of the service,
and search them for ARNs of tables, on which endpoints may depend; our tables have names. That is a seventh of what a
request takes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

_BODY = "agentos_body"


class WrittenOnce(list[Any]):
    """The actions of a transaction, with the JSON in which they are sent. They do not change any more."""

    def __init__(self, actions: Iterable[Any]) -> None:
        super().__init__(actions)
        self.json = _json(list(self))


def send_as_it_is(client: Any) -> None:
    """Have this client do so from now on. Its parameters are not validated."""
    client.meta.events.register("provide-client-params.dynamodb", _put_aside)
    client.meta.events.register("before-call.dynamodb", _put_back)


def _put_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_BODY] = _body(params).encode()
    return {"RequestItems": {}} if "RequestItems" in params else {}  # its search of these fails if they are missing


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context[_BODY]


def _body(params: dict[str, Any]) -> str:
    written = {name: value for name, value in params.items() if isinstance(value, WrittenOnce)}
    if not written:
        return _json(params)
    members = [f'"{name}":{written[name].json if name in written else _json(value)}' for name, value in params.items()]
    return f"{{{','.join(members)}}}"


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


# Nothing that is sent has a circle in it: to look for one takes a fifth of the whole.
_json = json.JSONEncoder(check_circular=False, separators=(",", ":"), default=_base64).encode
