"""The WebSocket function: events of API Gateway's WebSocket API, and its own, which name connections to be greeted.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
"""

from __future__ import annotations

import logging
from typing import Any

from agentos_lambda.aws.logs import request_id
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket import control
from agentos_lambda.websocket.actions import Actions
from agentos_lambda.websocket.admission import Admission
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.ports import Gone, Greetings, PostFailed

log = logging.getLogger(__name__)

_DONE = {"statusCode": 200}
_TOO_MANY = {"statusCode": 429}
_FAILED = {"statusCode": 503}
"""Both refuse a connection. A body would be a message to the client, so there is none."""

INTERNAL = "Internal Server Error"


class WebSocketHandler:
    """A Lambda handler. It answers a client by posting to the connection."""

    def __init__(
        self,
        actions: Actions,
        *,
        greeter: Greeter,
        greetings: Greetings,
        admission: Admission,
        registry: FollowerRegistry,
        sender: Sender,
    ) -> None:
        self._actions = actions
        self._greeter = greeter
        self._greetings = greetings
        self._admission = admission
        self._registry = registry
        self._sender = sender

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Handle one event of the API, or ``{"greet": connection_id}``.

        Raises ``Gone``, ``StoreUnavailable`` if a connection could not be greeted yet: Lambda invokes the function with
        the same event later.
        """
        request_id.take(context)
        if "greet" in event:
            return self._greet(event["greet"])
        request = event["requestContext"]
        address = request.get("identity", {}).get("sourceIp") or ""
        match request["eventType"]:
            case "CONNECT":
                return self._connect(request["connectionId"], address)
            case "DISCONNECT":
                return self._disconnect(request["connectionId"])
            case _:
                return self._message(request["connectionId"], event.get("body") or "", address)

    def _connect(self, connection_id: str, address: str) -> dict[str, Any]:
        try:
            admitted = self._admission.open(connection_id, address)
        except StoreUnavailable:
            log.warning("a connection was refused: the store is unavailable", extra=_of(connection_id))
            return _FAILED
        if not admitted:
            log.warning("a connection was refused: too many have come from its address", extra=_of(connection_id))
            return _TOO_MANY
        log.info("a connection was opened", extra=_of(connection_id))
        try:
            self._greetings.send(connection_id)
        except StoreUnavailable:
            log.warning(
                "the function cannot be invoked; the connection is greeted at its first message",
                extra=_of(connection_id),
            )
        return _DONE

    def _disconnect(self, connection_id: str) -> dict[str, Any]:
        log.info("a connection was closed", extra=_of(connection_id))
        try:
            self._registry.close(connection_id)
        except StoreUnavailable:
            log.warning("the store is unavailable; what is left of the connection expires", extra=_of(connection_id))
        return _DONE

    def _message(self, connection_id: str, text: str, address: str) -> dict[str, Any]:
        """One of the edges that catch all: the client gets an error, and the connection stays."""
        try:
            self._actions.handle(connection_id, text, address=address)
        except PostFailed as failure:
            log.info("a message could not be answered: %s", failure, extra=_of(connection_id))
        except Exception:
            log.exception("a message could not be handled", extra=_of(connection_id))
            self._apologise(connection_id)
        return _DONE

    def _apologise(self, connection_id: str) -> None:
        try:
            self._sender.send(connection_id, control.error(INTERNAL))
        except PostFailed as failure:
            log.info("the client could not be told: %s", failure, extra=_of(connection_id))

    def _greet(self, connection_id: str) -> dict[str, Any]:
        try:
            self._greeter.greet(connection_id)
        except (Gone, StoreUnavailable) as failure:
            log.info("a connection could not be greeted yet: %s", failure, extra=_of(connection_id))
            raise
        except PostFailed as failure:
            log.warning("a connection could not be greeted: %s", failure, extra=_of(connection_id))
        return _DONE


def _of(connection_id: str) -> dict[str, str]:
    return {"connection_id": connection_id}
