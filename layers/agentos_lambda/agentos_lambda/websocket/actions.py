"""What happens with each message of a client."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from agentos_lambda.protocol.security_key import admits, proof_of, same_key
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.errors import InvalidRequest, StoreUnavailable
from agentos_lambda.websocket import control
from agentos_lambda.websocket.admission import Admission
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.messages import action_of, parse
from agentos_lambda.websocket.ports import Connection
from agentos_lambda.websocket.reconnect import reconnect
from agentos_lambda.websocket.workflows import cancel_workflow, continue_workflow, start_workflow

log = logging.getLogger(__name__)

Action = Callable[[ActionContext, str, JsonObject], str | None]
"""Does what a connection's message asks for. Returns the answer, or None if the run's events are the answer."""

UNAVAILABLE = "The service is unavailable, try again"


class Actions:
    """Handles one message at a time, of any connection. All that it knows of the connection is in the store."""

    def __init__(self, context: ActionContext, greeter: Greeter, admission: Admission) -> None:
        self._context = context
        self._greeter = greeter
        self._admission = admission

    def handle(self, connection_id: str, text: str, *, address: str) -> None:
        """Do what the message says, and answer. Raises ``PostFailed`` if the answer cannot be posted.

        Nothing that a client sends closes its connection, unless too many messages come from its ``address`` without
        the key.
        """
        try:
            connection = self._context.registry.connections.get(connection_id)
            if connection is None:
                log.info("a message of a closed connection", extra={"connection_id": connection_id})
                return
            has_authority = self._has_authority(connection)
            if not has_authority and not self._admission.allows_message(connection_id, address):
                return
            self._greeter.before_action(connection)
            answer = self._answer(connection, text, has_authority=has_authority)
        except InvalidRequest as refusal:
            answer = control.error(str(refusal))
        except StoreUnavailable:
            log.warning(
                "a message could not be handled: a store is unavailable", extra={"connection_id": connection_id}
            )
            answer = control.error(UNAVAILABLE)
        if answer is not None:
            self._context.sender.send(connection_id, answer)

    def _answer(self, connection: Connection, text: str, *, has_authority: bool) -> str | None:
        message = parse(text)
        name = action_of(message)
        if name == "authenticate":
            return self._authenticate(connection, message)
        if not has_authority:
            return control.auth_required()
        action = _ACTIONS.get(name)
        if action is None:
            raise InvalidRequest(f"Unknown action: {name}")
        return action(self._context, connection.connection_id, message)

    def _authenticate(self, connection: Connection, message: JsonObject) -> str:
        token = message.get("token")
        if not isinstance(token, str) or not token:
            return control.auth_error("Token is required")
        if not admits(self._context.key, partial(same_key, token)):
            return control.auth_error("Invalid token")
        if self._context.key() is not None:
            proof = proof_of(token, connection.connection_id)
            self._context.registry.connections.authenticate(connection.connection_id, proof=proof)
        return control.authenticated()

    def _has_authority(self, connection: Connection) -> bool:
        """Whether the client may do anything: there is no key, or it has presented the one that counts now."""
        proof = connection.proof
        if proof is None:
            return self._context.key() is None
        return admits(self._context.key, lambda key: same_key(proof_of(key, connection.connection_id), proof))


def _ping(_context: ActionContext, _connection_id: str, _message: JsonObject) -> str:
    return control.pong()


_ACTIONS: Mapping[str, Action] = {
    "ping": _ping,
    "start-workflow": start_workflow,
    "reconnect": reconnect,
    "continue-workflow": continue_workflow,
    "cancel-workflow": cancel_workflow,
}
