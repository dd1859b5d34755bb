"""An attempt's events on their way to the log."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from agentos_lambda.protocol.values import Event
from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.model import EventPack, IndexedEvent
from agentos_lambda.runs.timing import LOOK_EVERY

_TEXT = frozenset({"RunContent", "TeamRunContent"})


class LogBuffer:
    """Numbers events and holds those that are not stored yet. One thread adds, another one takes packs.

    Text alone waits up to a second for more of it; anything else is due at once, and the text before it too.
    """

    def __init__(self, clock: Clock, first_index: int = 0) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next = first_index
        self._waiting: list[Event] = []
        self._urgent = False
        self._waits: Stopwatch | None = None

    def add(self, event: Event) -> IndexedEvent:
        """Number the event and keep it for the log."""
        with self._lock:
            indexed = IndexedEvent(self._next, event)
            self._next += 1
            self._waiting.append(event)
            self._waits = self._waits or Stopwatch(self._clock)
            self._urgent = self._urgent or event.get("event") not in _TEXT
            return indexed

    def due(self) -> bool:
        """Whether a pack should be written now."""
        with self._lock:
            return self._waits is not None and (self._urgent or self._waits.elapsed() >= LOOK_EVERY)

    def take(self) -> EventPack | None:
        """All that waits, as one pack; None if nothing does."""
        with self._lock:
            if not self._waiting:
                return None
            pack = EventPack(self._next - len(self._waiting), tuple(self._waiting))
            self._waiting, self._urgent, self._waits = [], False, None
            return pack

    def put_back(self, pack: EventPack) -> None:
        """The pack could not be written: let it wait again, before what has come since."""
        with self._lock:
            self._waiting[:0] = pack.events
            self._waits = Stopwatch(self._clock)

    def finish(self, terminal: Sequence[Event]) -> tuple[EventPack | None, list[IndexedEvent]]:
        """The last pack of the attempt, with the terminal events behind all that waits, and those events numbered.

        Takes nothing out: an ending may be tried again with other terminal events.
        """
        with self._lock:
            first = self._next - len(self._waiting)
            events = (*self._waiting, *terminal)
            numbered = [IndexedEvent(self._next + place, event) for place, event in enumerate(terminal)]
            return (EventPack(first, events) if events else None), numbered
