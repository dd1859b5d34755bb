"""Sends followers the rest of a run that has ended or paused."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, wait

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.endings import is_terminal
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.websocket.delivery.cursor import Cursor
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.delivery.sender import Sender
from agentos_lambda.websocket.ports import Follower, PostFailed

log = logging.getLogger(__name__)


class FinalDelivery:
    """Removes followers, and sends the rest to each one that it has removed: no other process posts that run to it."""

    def __init__(self, registry: FollowerRegistry, event_log: EventLog, sender: Sender, pool: Executor) -> None:
        """``pool`` sends to several followers at a time."""
        self._registry = registry
        self._log = event_log
        self._sender = sender
        self._pool = pool

    def to_all(self, record: RunRecord, cursors: Mapping[str, Cursor] | None = None) -> None:
        """Send the rest to all followers. ``record`` is that of a run that has ended or paused.

        ``cursors`` (by token) are those of the feed that has just ended.
        """
        fed = cursors or {}
        every = [
            fed.get(follower.token) or _cursor(record, follower) for follower in self._registry.of_run(record.run_id)
        ]
        due = [cursor for cursor in every if _is_due(record, cursor)]
        if not due:
            return
        events = self._log.read(record, after=min(cursor.next_index for cursor in due) - 1)
        for cursor in due:
            if cursor.follower.token not in fed and cursor.follower.attempt == record.attempt:
                # The executor that ended the run may have died since: it had posted the end to nobody, maybe all else.
                cursor.next_index = max(cursor.next_index, _first_of_the_end(record, events))
        wait([self._pool.submit(self._deliver, cursor, events) for cursor in due])

    def to_one(self, record: RunRecord, follower: Follower) -> None:
        """Send the rest to this follower, unless another process does. Raises ``PostFailed``."""
        if self._registry.remove(follower):
            cursor = Cursor(follower, Framing(record, follower.form), follower.next_index)
            self._send(cursor, self._log.read(record, after=follower.next_index - 1))

    def _deliver(self, cursor: Cursor, events: Iterable[IndexedEvent]) -> None:
        """One of the edges that catch all: what goes wrong with one follower is nobody else's."""
        try:
            if self._registry.remove(cursor.follower):
                for part in cursor.rest(events):
                    self._send(cursor, part)
        except PostFailed as failure:
            log.info("a follower was dropped: %s", failure, extra=cursor.follower.about)
        except StoreUnavailable:
            log.warning("a follower did not get the end", extra=cursor.follower.about)
        except Exception:
            log.exception("the end could not be sent to a follower", extra=cursor.follower.about)

    def _send(self, cursor: Cursor, events: Iterable[IndexedEvent]) -> None:
        for frame in cursor.framing.all(list(events)):
            self._sender.send(cursor.follower.connection_id, frame.text)


def _cursor(record: RunRecord, follower: Follower) -> Cursor:
    """The place of a follower without a feed in this process.

    An executor that died may have posted all that it has logged, and more. Its run continues after a gap.
    """
    posted = -1
    if follower.attempt is not None and follower.attempt != record.attempt:
        posted = record.seals.get(follower.attempt, -1)
    return Cursor(follower, Framing(record, follower.form), max(follower.next_index, posted + 1))


def _first_of_the_end(record: RunRecord, events: Sequence[IndexedEvent]) -> int:
    """The index of the first of the terminal events that the run has last ended or paused with."""
    terminal = {indexed.index for indexed in events if is_terminal(indexed.event, record)}
    first = max(terminal, default=record.next_index)
    while first - 1 in terminal:
        first -= 1
    return first


def _is_due(record: RunRecord, cursor: Cursor) -> bool:
    """Whether there is something to send now. A follower of a paused run that has got all waits for what comes next."""
    return record.status is not RunStatus.PAUSED or cursor.next_index < record.next_index
