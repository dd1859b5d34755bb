"""Events that are too large for one message are trimmed until they fit, and marked."""

from __future__ import annotations

import json

from agentos_lambda.protocol.frames import json_line
from agentos_lambda.protocol.values import Event, Json

_DUPLICATES = (
    "step_executor_runs",
    "step_results",
    "member_responses",
    "executor_runs",
    "messages",
    "step_response",
    "step_output",
)
"""Fields that repeat what other events of the run contain, the largest repetition first."""

_KEPT = frozenset(
    {
        "event",
        "event_index",
        "run_id",
        "workflow_run_id",
        "workflow_id",
        "workflow_name",
        "session_id",
        "step_id",
        "step_name",
        "step_index",
        "created_at",
        "nested_depth",
        "status",
        "truncated",
        "whole",
    }
)
"""Fields that identify an event: small, and never trimmed."""


def trimmed(event: Event, limit: int, *, whole: str) -> str:
    """The event as JSON of at most ``limit`` bytes. If anything was trimmed, it says so, and names the path ``whole``
    where the whole is.

    Duplicates are removed first. If that is not enough, long texts are cut and other large fields removed, the largest
    first.
    """
    text = json_line(event)
    if _size(text) <= limit:
        return text
    left = {**event, "truncated": True, "whole": whole}
    for name in _DUPLICATES:
        left.pop(name, None)
        if _size(text := json_line(left)) <= limit:
            return text
    while (excess := _size(text) - limit) > 0:
        sizes = {name: _size(json_line({name: value})) for name, value in left.items() if name not in _KEPT}
        if not sizes:
            break
        name = max(sizes, key=sizes.__getitem__)
        shorter = _cut(left[name], excess)
        if shorter:
            left[name] = shorter
        else:
            del left[name]
        text = json_line(left)
    return text


def _cut(value: Json, excess: int) -> str | None:
    """The text without its last ``excess`` bytes, or a few more; None if nothing is left, or for any other value."""
    if not isinstance(value, str):
        return None
    escaped = json_line(value)[1:-1].encode()
    # A cut through a character or an escape sequence removes all of it.
    kept = escaped[: max(len(escaped) - excess, 0)].decode("utf-8", "ignore")
    for _ in range(len("\\u0000")):
        try:
            return str(json.loads(f'"{kept}"'))
        except ValueError:
            kept = kept[:-1]
    return None


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
