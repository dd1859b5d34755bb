"""Messages to clients that are not events of a run: flat JSON, in the words of the AgentOS 3.1 API."""

from __future__ import annotations

import json

from agentos_lambda.identity.authority import AuthMode
from agentos_lambda.protocol.resumption import cancel_answer
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.model import RunRecord


def connected(*, requires_auth: bool) -> str:
    """The first message of every connection."""
    message = "Connected to AgentOS."
    if requires_auth:
        message += " Please authenticate to continue."
    return text({"event": "connected", "message": message, "requires_auth": requires_auth})


def authenticated() -> str:
    return text({"event": "authenticated", "message": "Authentication successful. You can now send commands."})


def authenticated_user(subject: str | None) -> str:
    """Follows ``authenticated`` where it was a token."""
    return text({"event": "authenticated", "message": "JWT authentication successful.", "user_id": subject})


def authenticated_account(subject: str | None) -> str:
    """The same for the token of a service account."""
    message = "Service account authentication successful."
    return text({"event": "authenticated", "message": message, "user_id": subject})


def auth_error(error: str, error_type: str | None = None) -> str:
    """``error_type`` is for tokens: ``expired``, ``invalid_token`` or ``server_error``."""
    about = {} if error_type is None else {"error_type": error_type}
    return text({"event": "auth_error", "error": error, **about})


def auth_required(mode: AuthMode) -> str:
    wanted = "JWT" if mode == "jwt" else "bearer token"
    return text(
        {"event": "auth_required", "error": f"Authentication required. Send authenticate action with valid {wanted}."}
    )


def pong() -> str:
    return text({"event": "pong"})


def error(description: str) -> str:
    return text({"event": "error", "error": description})


def cancelling(record: RunRecord) -> str:
    """The answer to ``cancel-workflow``: that of HTTP, with a name."""
    answer = cancel_answer(record.run_id, record.status, flagged=record.cancel_requested)
    return text({"event": "cancelling", **answer})


def text(message: JsonObject) -> str:
    """The message as it is sent."""
    return json.dumps(message)
