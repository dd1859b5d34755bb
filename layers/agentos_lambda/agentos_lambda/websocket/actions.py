"""What happens with each message of a client."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from agentos_lambda.identity import audit
from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.identity.permissions import WORKFLOW_ACTIONS, demand_workflow
from agentos_lambda.identity.principal import Principal
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.errors import InvalidRequest, StoreUnavailable
from agentos_lambda.websocket import control
from agentos_lambda.websocket.admission import Admission
from agentos_lambda.websocket.authentication import Authenticator
from agentos_lambda.websocket.client import Client
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.greeting import Greeter
from agentos_lambda.websocket.messages import action_of, parse, shown
from agentos_lambda.websocket.ports import Connection
from agentos_lambda.websocket.reconnect import reconnect
from agentos_lambda.websocket.workflows import cancel_workflow, continue_workflow, start_workflow

log = logging.getLogger(__name__)

Action = Callable[[ActionContext, Client, JsonObject], str | None]
"""Does what a client's message asks for. Returns the answer, or None if the run's events are the answer."""

UNAVAILABLE = "The service is unavailable, try again"


class Actions:
    """Handles one message at a time, of any connection. All that it knows of the connection is in the store."""

    def __init__(self, context: ActionContext, greeter: Greeter, admission: Admission) -> None:
        self._context = context
        self._greeter = greeter
        self._admission = admission
        self._authenticator = Authenticator(context)

    def handle(self, connection_id: str, text: str, *, address: str) -> None:
        """Do what the message says, and answer. Raises ``PostFailed`` if the answer cannot be posted.

        Nothing that a client sends closes its connection, unless too many messages come from its ``address`` without
        authentication.
        """
        try:
            connection = self._context.registry.connections.get(connection_id)
            if connection is None:
                log.info("a message of a closed connection", extra={"connection_id": connection_id})
                return
            principal = self._context.authority.granted(connection.grant, connection_id)
            if principal is None and not self._admission.allows_message(connection_id, address):
                return
            self._greeter.before_action(connection)
            answer = self._answer(connection, text, principal, address)
        except (InvalidRequest, Forbidden) as refusal:
            answer = control.error(str(refusal))
        except StoreUnavailable:
            log.warning(
                "a message could not be handled: a store is unavailable", extra={"connection_id": connection_id}
            )
            answer = control.error(UNAVAILABLE)
        if answer is not None:
            self._context.sender.send(connection_id, answer)

    def _answer(self, connection: Connection, text: str, principal: Principal | None, address: str) -> str | None:
        message = parse(text)
        name = action_of(message)
        if name == "authenticate":
            return self._authenticator.answer(connection, message, address)
        if principal is None:
            return control.auth_required(self._context.authority.mode())
        action = _ACTIONS.get(name)
        if action is None:
            raise InvalidRequest(f"Unknown action: {name}")
        client = Client(connection.connection_id, principal)
        if name not in WORKFLOW_ACTIONS:
            return action(self._context, client, message)
        about = {"connection_id": client.connection_id, **_ids(message)}
        try:
            demand_workflow(principal, name, message.get("workflow_id"))
            answer = action(self._context, client, message)
        except (Forbidden, InvalidRequest) as refusal:  # what is not there may be somebody else's
            audit.refused(principal, name, str(refusal), **about)
            raise
        audit.done(principal, name, **about)
        return answer


def _ids(message: JsonObject) -> dict[str, str]:
    given = {name: message.get(name) for name in ("workflow_id", "run_id", "session_id")}
    return {name: shown(value) for name, value in given.items() if isinstance(value, str)}


def _ping(_context: ActionContext, _client: Client, _message: JsonObject) -> str:
    return control.pong()


_ACTIONS: Mapping[str, Action] = {
    "ping": _ping,
    "start-workflow": start_workflow,
    "reconnect": reconnect,
    "continue-workflow": continue_workflow,
    "cancel-workflow": cancel_workflow,
}
