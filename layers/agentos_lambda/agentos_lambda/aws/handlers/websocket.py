"""The WebSocket function: events of API Gateway's WebSocket API, and messages that name connections to be greeted.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
"""

from __future__ import annotations

import logging
from typing import Any

from agentos_lambda.aws.logs import request_id
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket import control
from agentos_lambda.websocket.actions import Actions
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.ports import Gone, Greetings, PostFailed

log = logging.getLogger(__name__)

_DONE = {"statusCode": 200}
_FAILED = {"statusCode": 503}
"""Refuses a connection. A body would be a message to the client, so there is none."""

INTERNAL = "Internal Server Error"


class WebSocketHandler:
    """A Lambda handler. It answers a client by posting to the connection."""

    def __init__(
        self,
        actions: Actions,
        *,
        greeter: Greeter,
        greetings: Greetings,
        registry: FollowerRegistry,
        sender: Sender,
        clock: Clock,
    ) -> None:
        self._actions = actions
        self._greeter = greeter
        self._greetings = greetings
        self._registry = registry
        self._sender = sender
        self._clock = clock

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Handle one event of the API, or a batch of messages of the queue."""
        request_id.take(context)
        if "Records" in event:
            failed = [message["messageId"] for message in event["Records"] if not self._greet(message["body"])]
            return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
        request = event["requestContext"]
        match request["eventType"]:
            case "CONNECT":
                return self._connect(request["connectionId"])
            case "DISCONNECT":
                return self._disconnect(request["connectionId"])
            case _:
                return self._message(request["connectionId"], event.get("body") or "")

    def _connect(self, connection_id: str) -> dict[str, Any]:
        try:
            self._registry.connections.open(connection_id, now=self._clock.now())
        except StoreUnavailable:
            log.warning("a connection was refused: the store is unavailable", extra=_of(connection_id))
            return _FAILED
        log.info("a connection was opened", extra=_of(connection_id))
        try:
            self._greetings.send(connection_id)
        except StoreUnavailable:
            log.warning(
                "the queue is unavailable; the connection is greeted at its first message", extra=_of(connection_id)
            )
        return _DONE

    def _disconnect(self, connection_id: str) -> dict[str, Any]:
        log.info("a connection was closed", extra=_of(connection_id))
        try:
            self._registry.close(connection_id)
        except StoreUnavailable:
            log.warning("the store is unavailable; what is left of the connection expires", extra=_of(connection_id))
        return _DONE

    def _message(self, connection_id: str, text: str) -> dict[str, Any]:
        """One of the edges that catch all: the client gets an error, and the connection stays."""
        try:
            self._actions.handle(connection_id, text)
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

    def _greet(self, connection_id: str) -> bool:
        """False if the message has to be delivered again."""
        try:
            self._greeter.greet(connection_id)
        except (Gone, StoreUnavailable) as failure:
            log.info("a connection could not be greeted yet: %s", failure, extra=_of(connection_id))
            return False
        except PostFailed as failure:
            log.warning("a connection could not be greeted: %s", failure, extra=_of(connection_id))
        return True


def _of(connection_id: str) -> dict[str, str]:
    return {"connection_id": connection_id}
