"""What a session is called that nobody has named: its first message, as in AgentOS 3.1."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agentos_lambda.protocol.values import Json, JsonObject, Kind

MAX_TITLE_LENGTH = 256
"""Characters: three indexes hold the title."""


def title_of(kind: Kind, run: JsonObject) -> str | None:
    """The start of what the user said first in this run; None if the run tells nothing of it."""
    title = next((text for text in _texts(kind, run) if text), None)
    if title is None:
        return None
    # Half of a surrogate pair is no text that a store takes.
    return title[:MAX_TITLE_LENGTH].encode(errors="replace").decode()


def _texts(kind: Kind, run: JsonObject) -> Iterator[str]:
    if kind is not Kind.WORKFLOW:
        for message in run.get("messages") or ():
            if message.get("role") == "user" and not message.get("from_history"):
                yield _text(message.get("content"))
    given = run.get("input")
    if isinstance(given, dict) and "input_content" in given:
        given = given["input_content"]
    yield _text(given)


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if value is not None else ""
