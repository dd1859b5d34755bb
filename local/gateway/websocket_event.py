"""A connection, a message and a disconnection of a WebSocket as the events that API Gateway sends to a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.gateway.api_event import STAGE


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request that opened a connection."""

    headers: Sequence[tuple[str, str]]
    source_ip: str
    connected_at: int
    """Milliseconds since the epoch."""


def connect_event(connection_id: str, handshake: Handshake) -> dict[str, Any]:
    """The event of ``$connect``, the only one with the headers of the handshake."""
    values: dict[str, list[str]] = {}
    for name, value in handshake.headers:
        values.setdefault(name, []).append(value)
    return {
        "headers": {name: several[-1] for name, several in values.items()},
        "multiValueHeaders": values,
        "requestContext": _context(connection_id, handshake, "$connect", "CONNECT"),
        "isBase64Encoded": False,
    }


def message_event(connection_id: str, handshake: Handshake, route_key: str, text: str) -> dict[str, Any]:
    """The event of a message."""
    context = _context(connection_id, handshake, route_key, "MESSAGE")
    context["messageId"] = _id()
    return {"requestContext": context, "body": text, "isBase64Encoded": False}


def disconnect_event(connection_id: str, handshake: Handshake, code: int, reason: str) -> dict[str, Any]:
    """The event of ``$disconnect``."""
    context = _context(connection_id, handshake, "$disconnect", "DISCONNECT")
    context |= {"disconnectStatusCode": code, "disconnectReason": reason}
    return {"requestContext": context, "isBase64Encoded": False}


def _context(connection_id: str, handshake: Handshake, route_key: str, event_type: str) -> dict[str, Any]:
    request_id = _id()
    return {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "messageDirection": "IN",
        "stage": STAGE,
        "connectedAt": handshake.connected_at,
        "requestTimeEpoch": time.time_ns() // 1_000_000,
        "identity": {"sourceIp": handshake.source_ip},
        "requestId": request_id,
        "domainName": "127.0.0.1",
        "connectionId": connection_id,
        "apiId": "local",
    }


def _id() -> str:
    return uuid.uuid4().hex
