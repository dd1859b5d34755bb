"""One connection's place in one run: what it has got, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agentos_lambda.runs.model import IndexedEvent
from agentos_lambda.websocket.delivery.frames import MAX_MERGED_EVENTS, Frame, Framing
from agentos_lambda.websocket.ports import Follower

_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 8.0
"""How long a connection is left alone that accepts no more."""


@dataclass(slots=True)
class Cursor:
    """The place of a follower. While a feed moves it, the feed's lock guards all but ``frame`` while that is posted."""

    follower: Follower
    framing: Framing
    next_index: int
    earlier: Sequence[IndexedEvent] = ()
    """Events of earlier attempts that the follower does not have."""
    posting: bool = False
    """A message is on its way. There is never a second one."""
    frame: Frame | None = None
    """The message that is being posted, or has to be posted again. It stays as it is until it is known to have arrived:
    merged with more events it would have another index, by which a client could not see that it comes again."""
    released: int = -1
    """The index up to which events are sent now. Text after it waits for more text."""
    text_due_at: float = 0.0
    """When text that waits is released: seconds of the monotonic clock."""
    failures: int = 0
    retry_at: float = 0.0
    """Seconds of the monotonic clock."""

    def unsent(self, events: Sequence[IndexedEvent], first_index: int) -> Sequence[IndexedEvent]:
        """The next events to send. ``events`` are all of this attempt, from ``first_index`` on."""
        if self.earlier:
            return self.earlier[:MAX_MERGED_EVENTS]
        start = max(self.next_index - first_index, 0)
        return events[start : start + MAX_MERGED_EVENTS]

    def is_due(self, events: Sequence[IndexedEvent], first_index: int) -> bool:
        """Whether there is a message to post now. Arguments as for ``unsent``."""
        if self.frame is not None:
            return True
        unsent = self.unsent(events, first_index)
        return bool(unsent) and unsent[0].index <= self.released

    def release(self, index: int, *, text_due_at: float) -> None:
        """Send all events up to this index now, and no more text before that time."""
        self.released, self.text_due_at = index, text_due_at

    def rest(self, events: Iterable[IndexedEvent]) -> tuple[list[IndexedEvent], list[IndexedEvent]]:
        """Of a whole log, what is left to send: the events of the message to be posted again, and those after it."""
        end = self.next_index if self.frame is None else self.frame.last_index + 1
        unsent = [indexed for indexed in events if indexed.index >= self.next_index]
        return [each for each in unsent if each.index < end], [each for each in unsent if each.index >= end]

    def advance(self) -> None:
        """The message has arrived."""
        if self.frame is not None:
            self.next_index = self.frame.last_index + 1
        self.earlier = [indexed for indexed in self.earlier if indexed.index >= self.next_index]
        self.frame, self.failures = None, 0

    def back_off(self, now: float) -> None:
        """The message has to wait. ``now``: seconds of the monotonic clock."""
        self.retry_at = now + min(_FIRST_PAUSE_SECONDS * 2**self.failures, _MAX_PAUSE_SECONDS)
        self.failures += 1
