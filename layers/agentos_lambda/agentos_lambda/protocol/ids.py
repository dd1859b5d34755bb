"""What an id and an event index may be, whichever way they come (the AgentOS 3.1 API)."""

from __future__ import annotations

import re

MAX_ID_LENGTH = 128
"""Characters of an id."""

ID_PATTERN = r"^[A-Za-z0-9\-_.:@]+$"
"""A JSON Schema pattern of ids."""

MAX_EVENT_INDEX = 2**53
"""The largest integer that every JSON reader keeps exact. No run has as many events."""

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether the text can be the id of a component, a run, a session or a user."""
    return len(text) <= MAX_ID_LENGTH and _ID.fullmatch(text) is not None
