"""``authenticate``: a client shows who it is, for the first time or again, and its connection keeps that."""

from __future__ import annotations

from agentos_lambda.identity import audit
from agentos_lambda.identity.authority import Grant
from agentos_lambda.identity.errors import (
    AccountsUnavailable,
    Expired,
    Forbidden,
    IdentityError,
    KeysUnavailable,
    TooManyFailures,
    Unauthorized,
    WrongAccount,
)
from agentos_lambda.identity.principal import PrincipalKind
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.websocket import control
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.ports import Connection

_TOLD = {
    PrincipalKind.USER: control.authenticated_user,
    PrincipalKind.ACCOUNT: control.authenticated_account,
}
"""What a client is told besides, by what it has shown."""


class Authenticator:
    """Answers ``authenticate``. A refusal changes nothing: the client may try again, and keeps what it had."""

    def __init__(self, context: ActionContext) -> None:
        self._context = context

    def answer(self, connection: Connection, message: JsonObject, address: str) -> str:
        """The answer to a message from this address. Raises ``StoreUnavailable``, ``PostFailed``."""
        token = message.get("token")
        if not isinstance(token, str) or not token:
            return control.auth_error("Token is required")
        authority = self._context.authority
        try:
            principal = authority.principal(token, address)
            grant = authority.grant(principal, token, connection.connection_id)
        except (Unauthorized, TooManyFailures, Forbidden) as refusal:
            return self._refused(connection, refusal)
        except AccountsUnavailable:
            return control.auth_error("Authentication is temporarily unavailable")
        except KeysUnavailable:
            return control.auth_error("Tokens cannot be verified at present", "server_error")
        if grant is not None:
            self._keep(connection, grant)
        told = _TOLD.get(principal.kind)
        if told is None:
            return control.authenticated()
        self._context.sender.send(connection.connection_id, control.authenticated())
        return told(principal.subject)

    def _refused(self, connection: Connection, refusal: IdentityError) -> str:
        text = (refusal.socket_text if isinstance(refusal, Unauthorized) else None) or str(refusal)
        of_account = isinstance(refusal, WrongAccount | TooManyFailures)
        if self._context.authority.audits or of_account:
            audit.refused(None, "authenticate", str(refusal), connection_id=connection.connection_id)
        if of_account or not self._context.authority.audits:
            return control.auth_error(text)
        return control.auth_error(text, "expired" if isinstance(refusal, Expired) else "invalid_token")

    def _keep(self, connection: Connection, grant: Grant) -> None:
        registry, earlier = self._context.registry, connection.grant
        if earlier is not None and not grant.is_of(earlier):
            registry.leave_all(connection)  # they may be runs that the new principal must not see
        registry.authenticate(connection, grant)
        if earlier is None or not grant.renews(earlier):
            return
        for run_id in connection.run_ids:
            registry.followers.extend(run_id, connection.connection_id, until=grant.expires_at)
