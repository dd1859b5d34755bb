"""An attempt's events on their way to the log."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agentos_lambda.protocol.events import STREAMED_TEXT_EVENTS
from agentos_lambda.protocol.values import Event
from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.model import EventPack, IndexedEvent
from agentos_lambda.runs.timing import POLL_INTERVAL_MS


class LogBuffer:
    """Numbers events and holds those that are not stored yet. One thread adds events, another takes packs.

    Text alone waits up to a second for more text. Any other event is due at once, with the text before it.
    """

    def __init__(self, clock: Clock, first_index: int = 0) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._first = self._next = first_index
        self._waiting: list[Event] = []
        self._urgent = False
        self._since_oldest: Stopwatch | None = None

    def add(self, event: Event) -> IndexedEvent:
        """Number the event and keep it for the log."""
        with self._lock:
            indexed = IndexedEvent(self._next, event)
            self._next += 1
            self._waiting.append(event)
            self._since_oldest = self._since_oldest or Stopwatch(self._clock)
            self._urgent = self._urgent or event.get("event") not in STREAMED_TEXT_EVENTS
            return indexed

    @property
    def last_index(self) -> int | None:
        """Of the last event; None if there was none."""
        return self._next - 1 if self._next > self._first else None

    def due(self) -> bool:
        """Whether a pack should be written now."""
        with self._lock:
            if self._since_oldest is None:
                return False
            return self._urgent or self._since_oldest.elapsed_ms() >= POLL_INTERVAL_MS

    def take(self) -> EventPack | None:
        """All waiting events as one pack; None if there are none."""
        with self._lock:
            if not self._waiting:
                return None
            pack = EventPack(self._next - len(self._waiting), tuple(self._waiting))
            self._waiting, self._urgent, self._since_oldest = [], False, None
            return pack

    def put_back(self, pack: EventPack) -> None:
        """The pack could not be written: let it wait again, before the events that have come since."""
        with self._lock:
            self._waiting[:0] = pack.events
            self._since_oldest = Stopwatch(self._clock)

    def finish(
        self, terminal: Sequence[Event], *, withdrawn: bool = False
    ) -> tuple[EventPack | None, list[IndexedEvent]]:
        """The attempt's last pack, which is all waiting events and then the terminal ones; and the latter, numbered.

        ``withdrawn``: what waits must not be stored. Takes nothing out: an ending may be tried again with other
        terminal events.
        """
        with self._lock:
            waiting = [] if withdrawn else self._waiting
            first = self._next - len(waiting)
            events = (*waiting, *terminal)
            numbered = [IndexedEvent(self._next + place, event) for place, event in enumerate(terminal)]
            return (EventPack(first, events) if events else None), numbered
