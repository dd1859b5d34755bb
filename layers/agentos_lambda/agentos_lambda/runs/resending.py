"""Runs that wait for a worker: when they are sent to the queue again."""

from __future__ import annotations

import logging

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.timing import MAX_WAIT_MS, REPEAT_AFTER_MS, REPEAT_INTERVAL_MS, RESEND_AFTER_MS

log = logging.getLogger(__name__)


class Resender:
    """The queue, for one sweep. May be used from any thread.

    A send that the queue has not acknowledged is repeated. The message of one that it has acknowledged waits, is on its
    way to a worker, or is lost: it became a dead letter, or the queue was purged. While messages wait, workers are busy
    and this one may be among them: a copy would help nobody, and would count as a waiting run. So acknowledged sends
    are repeated only when no message waits.
    """

    def __init__(self, store: Store, queue: RunQueue) -> None:
        self._store = store
        self._queue = queue
        self._is_down = False
        """The queue did not answer. It is not asked again: each time takes seconds that the sweep needs."""
        self._has_messages: bool | None = None
        """As the queue said when it was first asked."""

    def send(self, run_id: str) -> bool:
        """Have a worker look at the run. Returns whether the queue has acknowledged that."""
        if self._is_down:
            return False
        try:
            self._queue.send(run_id)
        except StoreUnavailable:
            self._note_down(run_id)
            return False
        return True

    def look_at(self, record: RunRecord, now: int) -> bool:
        """Send a PENDING run again if it is time to. Returns whether the queue has acknowledged that.

        Raises ``ClaimLost``, and ``StoreUnavailable`` if the store does not answer.
        """
        queued_at = record.queued_at or record.accepted_at
        if self._is_down or now < (record.next_send_at or queued_at):
            return False
        is_early = now - queued_at < REPEAT_AFTER_MS
        if record.last_send_acknowledged:
            if is_early:
                return self._look_again(record, queued_at + REPEAT_AFTER_MS)
            match self._messages_wait(record.run_id):
                case None:
                    return False
                case True:
                    return self._look_again(record, now + REPEAT_INTERVAL_MS)
        noted = self._store.note_send(record, next_send_at=now + RESEND_AFTER_MS)
        if not self.send(noted.run_id):
            return False
        self._note_acknowledged(noted, now + (REPEAT_AFTER_MS if is_early else REPEAT_INTERVAL_MS))
        return True

    def _look_again(self, record: RunRecord, at: int) -> bool:
        self._note_acknowledged(record, at)
        return False

    def _note_acknowledged(self, record: RunRecord, next_send_at: int) -> None:
        given_up_at = (record.queued_at or record.accepted_at) + MAX_WAIT_MS
        self._store.note_acknowledged(record, next_send_at=min(next_send_at, given_up_at))

    def _messages_wait(self, run_id: str) -> bool | None:
        """Whether messages wait in the queue; None if it does not answer."""
        if self._has_messages is None and not self._is_down:
            try:
                self._has_messages = self._queue.depth() > 0
            except StoreUnavailable:
                self._note_down(run_id)
        return self._has_messages

    def _note_down(self, run_id: str) -> None:
        self._is_down = True
        log.warning("the queue is unavailable; the next sweep asks it again", extra={"run_id": run_id})
