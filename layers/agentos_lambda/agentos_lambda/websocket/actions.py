"""What becomes of what a client sends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from agentos_lambda.protocol.security_key import same_key
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.errors import InvalidRequest, StoreUnavailable
from agentos_lambda.websocket import control
from agentos_lambda.websocket.context import Services
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.messages import action_of, parse
from agentos_lambda.websocket.ports import Connection
from agentos_lambda.websocket.reconnect import reconnect
from agentos_lambda.websocket.workflows import cancel, go_on, start

log = logging.getLogger(__name__)

Action = Callable[[Services, str, JsonObject], str | None]
"""What a connection's message does. Gives the answer, or None where events of a run are the answer."""

UNAVAILABLE = "The service is unavailable, try again"


class Actions:
    """Handles one message at a time of any connection. All it knows of it is in the store."""

    def __init__(self, services: Services, greeter: Greeter) -> None:
        self._services = services
        self._greeter = greeter

    def handle(self, connection_id: str, text: str) -> None:
        """Do what the message says, and answer. Raises ``PostFailed`` if that is not possible.

        Nothing that a client sends ends its connection.
        """
        try:
            connection = self._services.followings.connections.get(connection_id)
            if connection is None:
                log.info("a message of a connection that is closed", extra={"connection_id": connection_id})
                return
            self._greeter.before_action(connection)
            answer = self._answer(connection, text)
        except InvalidRequest as refusal:
            answer = control.error(str(refusal))
        except StoreUnavailable:
            log.warning(
                "a message could not be handled: a store is unavailable", extra={"connection_id": connection_id}
            )
            answer = control.error(UNAVAILABLE)
        if answer is not None:
            self._services.sender.send(connection_id, answer)

    def _answer(self, connection: Connection, text: str) -> str | None:
        message = parse(text)
        name = action_of(message)
        key = self._services.key()
        if name == "authenticate":
            return self._authenticate(connection, message, key)
        if key is not None and not connection.authenticated:
            return control.auth_required()
        action = _ACTIONS.get(name)
        if action is None:
            raise InvalidRequest(f"Unknown action: {name}")
        return action(self._services, connection.connection_id, message)

    def _authenticate(self, connection: Connection, message: JsonObject, key: str | None) -> str:
        token = message.get("token")
        if not isinstance(token, str) or not token:
            return control.auth_error("Token is required")
        if key is not None:
            if not same_key(token, key):
                return control.auth_error("Invalid token")
            self._services.followings.connections.authenticate(connection.connection_id)
        return control.authenticated()


def _ping(_services: Services, _connection_id: str, _message: JsonObject) -> str:
    return control.pong()


_ACTIONS: Mapping[str, Action] = {
    "ping": _ping,
    "start-workflow": start,
    "reconnect": reconnect,
    "continue-workflow": go_on,
    "cancel-workflow": cancel,
}
