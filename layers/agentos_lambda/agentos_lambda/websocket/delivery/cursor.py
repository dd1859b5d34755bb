"""How far one follower has been told the events of an attempt that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentos_lambda.runs.model import IndexedEvent
from agentos_lambda.websocket.delivery.frames import MOST_MERGED, Frame, Framing
from agentos_lambda.websocket.ports import Follower

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
"""Seconds to leave a connection alone that does not take more."""


@dataclass(slots=True)
class Subscriber:
    """A follower that an executor has taken on. Guarded by its run's lock, but for ``frame`` while it is posted."""

    follower: Follower
    framing: Framing
    next_index: int
    earlier: Sequence[IndexedEvent]
    """Events of earlier attempts that it has not been told."""
    posting: bool = False
    """One message is on its way: there is never a second one."""
    frame: Frame | None = None
    """The message that is, or has to be, posted. It is posted as it is until it arrives: if it has and nobody knows,
    then its index tells the client."""
    failures: int = 0
    retry_at: float = 0.0

    def untold(self, events: Sequence[IndexedEvent], first_index: int) -> Sequence[IndexedEvent]:
        """The next of what it has not been told. ``events`` are all of this attempt, from ``first_index`` on."""
        if self.earlier:
            return self.earlier[:MOST_MERGED]
        start = max(self.next_index - first_index, 0)
        return events[start : start + MOST_MERGED]

    @property
    def doubtful(self) -> int | None:
        """The last index of the message that has to be posted again; None if there is none."""
        return None if self.frame is None else self.frame.last_index

    def told(self) -> None:
        """The message has arrived."""
        if self.frame is not None:
            self.next_index = self.frame.last_index + 1
        self.earlier = [indexed for indexed in self.earlier if indexed.index >= self.next_index]
        self.frame, self.failures = None, 0

    def back_off(self, now: float) -> None:
        """The message has to wait. ``now``: seconds of the monotonic clock."""
        self.retry_at = now + min(_FIRST_PAUSE * 2**self.failures, _LONGEST_PAUSE)
        self.failures += 1
