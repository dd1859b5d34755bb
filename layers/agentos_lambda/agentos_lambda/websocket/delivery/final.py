"""Tells followers the rest of a run that has ended or paused."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, wait
from dataclasses import dataclass

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.delivery.registry import Followings
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.ports import Follower, PostFailed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """How far a follower has been told a run."""

    next_index: int
    doubtful: int | None = None
    """The last index of a message from ``next_index`` on that may have arrived, or may not.

    It is posted as it was: with more merged into it, its index would not tell a client that it has come before.
    """

    def parts(self, events: Iterable[IndexedEvent]) -> tuple[list[IndexedEvent], list[IndexedEvent]]:
        """The events of the doubtful message, and those after it."""
        end = self.next_index if self.doubtful is None else self.doubtful + 1
        untold = [indexed for indexed in events if indexed.index >= self.next_index]
        return [each for each in untold if each.index < end], [each for each in untold if each.index >= end]


class Drain:
    """Whoever removes a follower is the one who tells it the rest: nobody else posts for that run to it any more."""

    def __init__(self, followings: Followings, event_log: EventLog, sender: Sender, pool: Executor) -> None:
        """``pool`` tells several followers at a time."""
        self._followings = followings
        self._log = event_log
        self._sender = sender
        self._pool = pool

    def all(self, record: RunRecord, told: Mapping[str, Told] | None = None) -> None:
        """Tell all followers the rest. ``record`` is that of a run that waits for nothing.

        ``told`` (by token) says how far the caller itself has told its followers.
        """
        known = told or {}
        left = [
            (follower, known.get(follower.token) or Told(_untold(follower, record)))
            for follower in self._followings.followers.of_run(record.run_id)
            if follower.held_until is None
        ]
        due = [(follower, place) for follower, place in left if _concerns(record, place.next_index)]
        if not due:
            return
        events = self._log.read(record, after=min(place.next_index for _, place in due) - 1)
        wait([self._pool.submit(self._one, record, follower, place, events) for follower, place in due])

    def one(self, record: RunRecord, follower: Follower) -> None:
        """Tell this follower the rest, unless somebody else does. Raises ``PostFailed``."""
        if self._followings.end(follower):
            self._send(record, follower, self._log.read(record, after=follower.next_index - 1))

    def _one(self, record: RunRecord, follower: Follower, told: Told, events: Iterable[IndexedEvent]) -> None:
        try:
            if self._followings.end(follower):
                for part in told.parts(events):
                    self._send(record, follower, part)
        except PostFailed as failure:
            log.info("a follower was dropped: %s", failure, extra=follower.about)
        except StoreUnavailable:
            log.warning("a follower could not be told the end", extra=follower.about)

    def _send(self, record: RunRecord, follower: Follower, events: Iterable[IndexedEvent]) -> None:
        for frame in Framing(record, follower.form).all(list(events)):
            self._sender.send(follower.connection_id, frame.text)


def _untold(follower: Follower, record: RunRecord) -> int:
    """From where on nobody has told the follower anything for certain.

    An executor that died may have posted all that it has logged, and more. Its run goes on behind a gap.
    """
    told = record.seals.get(follower.attempt, -1) if follower.attempt is not None else -1
    return max(follower.next_index, told + 1)


def _concerns(record: RunRecord, next_index: int) -> bool:
    """Whether a follower has to be told now. One of a paused run that has been told all waits for its continuation."""
    return record.status is not RunStatus.PAUSED or next_index < record.next_index
