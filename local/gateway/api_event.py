"""An HTTP request as the event that API Gateway sends to a function.

It is the REST API's Lambda proxy event, payload format 1.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from agentos_lambda.aws.handlers.prelude import HOP_BY_HOP
from local.account import ACCOUNT_ID
from local.gateway.routing import Match

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""Lambda's limit for the event of a synchronous invocation."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

STAGE = "local"
_ADDED = frozenset({"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})
"""Headers that API Gateway writes itself."""
_NOT_PASSED_ON = HOP_BY_HOP | {"content-length", "expect", "te", "trailer"} | _ADDED
"""Headers of a request that belong to its connection, and a client's own of those that API Gateway writes."""


class EventTooLarge(Exception):
    """The request does not fit into an event."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the client sent it."""

    method: str
    path: str
    """Percent-encoded."""
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str
    """Such as ``HTTP/1.1``."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage that takes the requests."""

    port: int
    binary_types: frozenset[str]
    """Media types whose bodies travel as base64."""
    variables: Mapping[str, str] = field(default_factory=dict)


def encode_event(request: HttpRequest, match: Match, stage: Stage) -> bytes:
    """The event as JSON. Raises ``EventTooLarge`` over 6 MB, base64 included."""
    fields = build_event(request, match, stage)
    event = _encode(fields).encode()
    if len(event) > MAX_EVENT_BYTES:
        raise EventTooLarge(f"{len(event)} bytes")
    return event


def build_event(request: HttpRequest, match: Match, stage: Stage) -> dict[str, Any]:
    """The event, with every field that API Gateway fills in."""
    headers = _multi_value(_with_forwarding(request, stage.port))
    query = _multi_value(parse_qsl(request.query, keep_blank_values=True))
    content_type = _last(headers, "content-type") or ""
    is_binary = bool(request.body) and _is_binary(content_type, stage.binary_types)
    body = base64.b64encode(request.body).decode() if is_binary else request.body.decode("utf-8", "replace")
    return {
        "resource": match.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": match.path_parameters,
        "stageVariables": dict(stage.variables) or None,
        "requestContext": _request_context(request, match, user_agent=_last(headers, "user-agent")),
        "body": body if request.body else None,
        "isBase64Encoded": is_binary,
    }


def _request_context(request: HttpRequest, match: Match, *, user_agent: str | None) -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    return {
        "resourceId": "local",
        "resourcePath": match.resource,
        "httpMethod": request.method,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "path": request.path,  # as behind a custom domain: without a stage before it
        "accountId": ACCOUNT_ID,
        "protocol": request.protocol,
        "stage": STAGE,
        "domainPrefix": "127",
        "requestTimeEpoch": time.time_ns() // 1_000_000,
        "requestId": request_id,
        "identity": _identity(request.source_ip, user_agent),
        "domainName": "127.0.0.1",
        "deploymentId": "local",
        "apiId": "local",
    }


def _identity(source_ip: str, user_agent: str | None) -> dict[str, str | None]:
    unknown = (
        "cognitoIdentityPoolId",
        "accountId",
        "cognitoIdentityId",
        "caller",
        "principalOrgId",
        "accessKey",
        "cognitoAuthenticationType",
        "cognitoAuthenticationProvider",
        "userArn",
        "user",
    )
    return {**dict.fromkeys(unknown), "sourceIp": source_ip, "userAgent": user_agent}


def _with_forwarding(request: HttpRequest, port: int) -> list[tuple[str, str]]:
    """The headers, with those that API Gateway adds in place of a client's own."""
    passed = [(name, value) for name, value in request.headers if name.lower() not in _NOT_PASSED_ON]
    hops = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
    return [
        *passed,
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()}"),
        ("X-Forwarded-For", ", ".join([*hops, request.source_ip])),
        ("X-Forwarded-Port", str(port)),
        ("X-Forwarded-Proto", "http"),
    ]


def _multi_value(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last(headers: dict[str, list[str]], name: str) -> str | None:
    values = next((values for key, values in headers.items() if key.lower() == name), None)
    return values[-1] if values else None


def decodes_answers(accept: str, binary_types: frozenset[str]) -> bool:
    """Whether API Gateway decodes a whole answer in base64: if the first type that the request accepts is a binary one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    return _is_binary(accept.partition(",")[0], binary_types)


def _is_binary(content_type: str, binary_types: frozenset[str]) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in binary_types or "*/*" in binary_types
