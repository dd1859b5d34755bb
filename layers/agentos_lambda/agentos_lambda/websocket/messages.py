"""What clients send: JSON objects with an ``action``. Anything else is an ``InvalidRequest``."""

from __future__ import annotations

from collections.abc import Callable

from agentos_lambda.protocol.ids import (
    MAX_EVENT_INDEX,
    MAX_FOREIGN_ID_LENGTH,
    MAX_ID_LENGTH,
    is_id,
    is_session_id,
    is_user_id,
)
from agentos_lambda.protocol.strict_json import TooDeep, parse_json
from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.errors import InvalidRequest

_MAX_ECHO_LENGTH = 64
"""Characters."""


def parse(text: str) -> JsonObject:
    """The message. Raises ``InvalidRequest``."""
    try:
        text.encode()
        value = parse_json(text)
    except TooDeep as error:
        raise InvalidRequest(f"The message is {error}") from error
    except ValueError as error:
        raise InvalidRequest("The message is not valid JSON") from error
    if not isinstance(value, dict):
        raise InvalidRequest("The message has to be a JSON object")
    return value


def action_of(message: JsonObject) -> str:
    """The name of the action, in words for the client: ``None`` if there is none."""
    return shown(str(message.get("action")))


def shown(value: str) -> str:
    """What a client sent, cut to a length that can be sent back."""
    return value[:_MAX_ECHO_LENGTH]


def required_id(message: JsonObject, name: str, otherwise: str) -> str:
    """A required id. Raises ``InvalidRequest``, with the text ``otherwise`` if it is missing."""
    value = optional_id(message, name)
    if value is None:
        raise InvalidRequest(otherwise)
    return value


def optional_id(message: JsonObject, name: str) -> str | None:
    """An id; None if it is missing or empty. Raises ``InvalidRequest``."""
    return _optional(message, name, is_id, f"{MAX_ID_LENGTH} letters, digits and -_.:@")


def user_id(message: JsonObject) -> str | None:
    """The user whom the client names; None if it names none. Raises ``InvalidRequest``."""
    return _optional(message, "user_id", is_user_id, f"{MAX_FOREIGN_ID_LENGTH} characters and no control characters")


def session_id(message: JsonObject) -> str | None:
    """The session that the client names; None if it names none. Raises ``InvalidRequest``."""
    rule = f"{MAX_FOREIGN_ID_LENGTH} characters, no control characters and no /, and not be . or .."
    return _optional(message, "session_id", is_session_id, rule)


def _optional(message: JsonObject, name: str, is_valid: Callable[[str], bool], rule: str) -> str | None:
    value = message.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not is_valid(value):
        raise InvalidRequest(f"{name} should have at most {rule}")
    return value


def workflow_message(message: JsonObject) -> Json:
    """The message for the workflow: text or an object; empty text if it is missing. Raises ``InvalidRequest``."""
    value = message.get("message")
    if value is None:
        return ""
    if not isinstance(value, str | dict):
        raise InvalidRequest("message should be a string or an object")
    return value


def last_event_index(message: JsonObject) -> int:
    """The index of the last event that the client has; -1 if it has none. Raises ``InvalidRequest``."""
    value = message.get("last_event_index")
    if value is None:
        return -1
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= MAX_EVENT_INDEX:
        raise InvalidRequest("last_event_index should be an integer of -1 or more")
    return value


def step_requirements(message: JsonObject) -> tuple[JsonObject, ...]:
    """What the client decided about a paused workflow. Raises ``InvalidRequest``."""
    value = message.get("step_requirements")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidRequest("step_requirements should be an array of objects")
    return tuple(value)
