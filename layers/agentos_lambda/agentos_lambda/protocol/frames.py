"""Frames of server-sent events, which clients read line by line."""

from __future__ import annotations

import json

from agentos_lambda.protocol.values import Json

_LINE_BREAKS = str.maketrans({"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""Characters at which many readers of lines, ``str.splitlines`` among them, end a line, although JSON may hold them."""


def json_line(value: Json) -> str:
    """The value as compact JSON on one line, also for readers that know Unicode's line breaks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).translate(_LINE_BREAKS)


def sse_frame(name: str, data: str, *, index: int | None = None) -> str:
    """The frame of an event. ``data`` is JSON on one line. A component may choose the name: its line breaks become
    spaces."""
    id_line = "" if index is None else f"id: {index}\n"
    return f"event: {' '.join(name.splitlines())}\n{id_line}data: {data}\n\n"
