"""What ids and event indexes may be, whichever way they come.

AgentOS takes any text. Ids of runs and components stay narrow here, since they are parts of paths, of names of S3
objects and of keys. A user's id is made by an identity provider, a session's by a client: they are nearly any text.
"""

from __future__ import annotations

import re

MAX_ID_LENGTH = 128
"""Characters of the id of a run or a component."""

ID_PATTERN = r"^[A-Za-z0-9\-_.:@]+$"
"""A JSON Schema pattern of them."""

MAX_FOREIGN_ID_LENGTH = 256
"""Characters of the id of a user or a session."""

MAX_EVENT_INDEX = 2**53
"""The largest integer that every JSON reader keeps exact. No run has as many events."""

DOTS = frozenset({".", ".."})
"""Segments that clients and proxies take out of a path."""

_ID = re.compile(ID_PATTERN)
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs."""


def is_id(text: str) -> bool:
    """Whether the text can be the id of a component or a run."""
    return len(text) <= MAX_ID_LENGTH and _ID.fullmatch(text) is not None and text not in DOTS


def is_user_id(text: str) -> bool:
    """Whether the text can be the id of a user. Ids are compared as they are: no Unicode form is normalised."""
    return 0 < len(text) <= MAX_FOREIGN_ID_LENGTH and _NO_TEXT.search(text) is None


def is_session_id(text: str) -> bool:
    """Whether the text can be the id of a session, and so a segment of a path."""
    return is_user_id(text) and "/" not in text and text not in DOTS
