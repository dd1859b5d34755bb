"""How much state a session may have."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agentos_lambda.protocol.values import Json
from agentos_lambda.runs.model import RunInput, Session, SessionDelta, Work
from agentos_lambda.runs.session_fields import STATE, state_fields

MAX_STATE_KEYS = 10_000
"""Top-level keys."""
MAX_STATE_BYTES = 16 * 1024 * 1024
"""Of the state as JSON. A run has several copies of it in memory."""


def refused_request(session: Session | None, work: Work) -> str | None:
    """Why the state that a caller sends is too much for the session, in words for the caller; None if it is not."""
    sent = (work.session_state if isinstance(work, RunInput) else None) or {}
    return refused_change(session, SessionDelta(state_fields(sent)))


def refused_change(session: Session | None, changes: SessionDelta) -> str | None:
    """Why the session's state would become too large, in words for the caller; None if it does not, or if it already is
    and becomes no larger."""
    if not any(name.startswith(STATE) for name in changes.set):
        return None
    before = {name: value for name, value in (session.fields if session else {}).items() if name.startswith(STATE)}
    after = {name: value for name, value in before.items() if name not in changes.remove}
    after |= {name: value for name, value in changes.set.items() if name.startswith(STATE)}
    if max(len(before), MAX_STATE_KEYS) < len(after):
        return f"The session state would have {len(after):,} keys. It may have {MAX_STATE_KEYS:,}"
    size = _size(after)
    if size > MAX_STATE_BYTES and size > _size(before):
        return f"The session state would have {size:,} bytes as JSON. It may have {MAX_STATE_BYTES:,}"
    return None


def _size(fields: Mapping[str, Json]) -> int:
    """Bytes of the JSON, within a few for each key."""
    return sum(_bytes(name.removeprefix(STATE)) + _bytes(value) for name, value in fields.items())


def _bytes(value: Json) -> int:
    # Most large values are text, whose JSON need not be made to be measured.
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return len(text.encode("utf-8", "surrogatepass")) + len('"",')
