"""Server-sent events as a client reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any


def events(text: str) -> list[dict[str, Any]]:
    """The data of each frame, which repeats the frame's name and id."""
    found = []
    for frame in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if line and not line.startswith(":"))
        if lines:
            data = json.loads(lines["data"])
            assert lines["event"] == data["event"]
            found.append(data)
    return found


def arriving(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The data of each frame of an answer that is still read."""
    return (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def names(text: str) -> list[str]:
    return [event["event"] for event in events(text)]


def indexes(text: str) -> list[int]:
    return [event["event_index"] for event in events(text) if "event_index" in event]
