"""A run's events as messages: consecutive text is merged, and no message is too large."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentos_lambda.protocol.events import STREAMED_TEXT_EVENTS, TEXT_FIELDS
from agentos_lambda.protocol.frames import json_line, sse_frame
from agentos_lambda.protocol.values import Event
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.websocket.delivery.trimming import trimmed
from agentos_lambda.websocket.ports import Form

MAX_BYTES = 32 * 1024 - 1
"""API Gateway's limit is 32 KB for a frame.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

_MAY_DIFFER = frozenset({*TEXT_FIELDS, "created_at"})
_MAX_MERGED_BYTES = 16 * 1024
"""Of merged text. The rest of the event needs room beside it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, with the index of its last event."""

    text: str
    last_index: int


class Framing:
    """Makes the messages of one run for one follower."""

    def __init__(self, record: RunRecord, form: Form) -> None:
        self._whole = f"/{record.kind.plural}/{record.component_id}/runs/{record.run_id}"
        self._form = form

    def next(self, events: Sequence[IndexedEvent]) -> Frame:
        """The message for the first of these events and for those after it that can be merged with it."""
        run = _run_of_text(events)
        if len(run) > 1:
            text = self._text({**_merge([indexed.event for indexed in run]), "event_index": run[-1].index}, MAX_BYTES)
            if text is not None:
                return Frame(text, run[-1].index)
        first = events[0]
        event = {**first.event, "event_index": first.index}
        return Frame(self._text(event, MAX_BYTES) or self._trimmed(event), first.index)

    def all(self, events: Sequence[IndexedEvent]) -> Iterator[Frame]:
        """The messages for all of these events."""
        place = 0
        while place < len(events):
            frame = self.next(events[place : place + MAX_MERGED_EVENTS])
            while place < len(events) and events[place].index <= frame.last_index:
                place += 1
            yield frame

    def _text(self, event: Event, limit: int) -> str | None:
        text = self._framed(event, json_line(event))
        return text if len(text.encode("utf-8", "surrogatepass")) <= limit else None

    def _trimmed(self, event: Event) -> str:
        frame = len(self._framed(event, "").encode())
        return self._framed(event, trimmed(event, MAX_BYTES - frame, whole=self._whole))

    def _framed(self, event: Event, data: str) -> str:
        return sse_frame(event["event"], data) if self._form is Form.SSE else data


MAX_MERGED_EVENTS = 1_000
"""In one message."""


def _run_of_text(events: Sequence[IndexedEvent]) -> Sequence[IndexedEvent]:
    """The events from the first one on that can be one message."""
    first = events[0].event
    if first.get("event") not in STREAMED_TEXT_EVENTS or not _has_text(first):
        return events[:1]
    same, size, length = _rest(first), _text_bytes(first), 1
    for indexed in events[1:]:
        size += _text_bytes(indexed.event)
        if size > _MAX_MERGED_BYTES or not _has_text(indexed.event) or _rest(indexed.event) != same:
            break
        length += 1
    return events[:length]


def _merge(events: Sequence[Event]) -> Event:
    texts = {
        name: "".join(event.get(name) or "" for event in events)
        for name in TEXT_FIELDS
        if any(isinstance(event.get(name), str) for event in events)
    }
    return {**events[0], **texts}


def _rest(event: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in event.items() if name not in _MAY_DIFFER}


def _has_text(event: Event) -> bool:
    return all(isinstance(event.get(name), str | None) for name in TEXT_FIELDS)


def _text_bytes(event: Event) -> int:
    return sum(len(json.dumps(event.get(name))) for name in TEXT_FIELDS)
