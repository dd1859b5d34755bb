"""An attempt's events on their way to the run's followers, while it executes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.runs.timing import POLL_INTERVAL_MS
from agentos_lambda.websocket.delivery.cursor import Cursor
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.ports import Follower, Gone, Posts, Refused, Slow

log = logging.getLogger(__name__)


class LiveFeed:
    """Implements ``runs.ports.Feed``, in threads, so that a component that blocks the event loop delays no follower.

    All of the attempt's events stay in memory, and each follower has a cursor in them. While a message to a follower is
    on its way, events pile up behind it. The next message takes as many of them as can be merged.
    """

    def __init__(
        self,
        record: RunRecord,
        *,
        holds_lease: Callable[[], bool],
        registry: FollowerRegistry,
        event_log: EventLog,
        posts: Posts,
        final: FinalDelivery,
        clock: Clock,
        pool: Executor,
    ) -> None:
        """``pool`` does the posting."""
        self._record = record
        self._holds_lease = holds_lease
        self._registry = registry
        self._log = event_log
        self._posts = posts
        self._final = final
        self._clock = clock
        self._pool = pool
        self._events: list[IndexedEvent] = []
        self._cursors: dict[str, Cursor] = {}
        self._posting = 0
        self._over = False
        self._posted = threading.Condition()
        """Guards the four above. Notified after each post."""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Refresh about once a second, in a thread."""
        name = f"followers-{self._record.run_id}"
        self._thread = threading.Thread(target=self._keep_refreshing, name=name, daemon=True)
        self._thread.start()

    def publish(self, indexed: IndexedEvent) -> None:
        with self._posted:
            self._events.append(indexed)
            for cursor in self._cursors.values():
                self._post_if_due(cursor)

    def refresh(self) -> None:
        """See who follows the run now, and retry what could not be posted."""
        followers = {
            follower.token: follower
            for follower in self._registry.followers.of_run(self._record.run_id)
            if follower.held_until is None
        }
        for token in followers.keys() - self._cursors.keys():
            cursor = self._take(followers[token])
            if cursor is not None:
                with self._posted:
                    self._cursors[token] = cursor
        with self._posted:
            for token in self._cursors.keys() - followers.keys():
                del self._cursors[token]
            for cursor in self._cursors.values():
                self._post_if_due(cursor)

    def end(self, record: RunRecord) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        with self._posted:
            self._over = True
            self._posted.wait_for(lambda: self._posting == 0)
            cursors = dict(self._cursors)
        if record.status.active:
            return  # another executor or the sweeper ends the run
        try:
            self._final.to_all(record, cursors)
        except StoreUnavailable:
            log.warning("the followers did not get the end", extra={"run_id": record.run_id})

    def _keep_refreshing(self) -> None:
        while not self._ending.is_set():
            try:
                self.refresh()
            except StoreUnavailable:
                log.warning("the followers of the run are unknown", extra={"run_id": self._record.run_id})
            self._ending.wait(POLL_INTERVAL_MS / 1000)

    def _take(self, follower: Follower) -> Cursor | None:
        """A cursor for the follower; None if it is gone."""
        attempt, first_index, next_index = self._record.attempt, self._record.next_index, follower.next_index
        if follower.attempt not in (None, attempt):
            # The executor of that attempt has died, and it is unknown how many of its events it has posted.
            next_index = max(next_index, first_index)
        if follower.attempt != attempt and not self._registry.followers.take(follower, attempt=attempt):
            return None
        earlier = self._log.read(self._record, after=next_index - 1) if next_index < first_index else ()
        return Cursor(
            follower,
            Framing(self._record, follower.form),
            next_index,
            [indexed for indexed in earlier if indexed.index < first_index],
        )

    def _post_if_due(self, cursor: Cursor) -> None:
        """Post the next message, if there is one, none is on its way, and the feed is not over. Under the lock."""
        if self._over or cursor.posting or self._clock.monotonic() < cursor.retry_at:
            return
        if cursor.frame is not None or cursor.unsent(self._events, self._record.next_index):
            cursor.posting = True
            self._posting += 1
            self._pool.submit(self._post_one, cursor)

    def _post_one(self, cursor: Cursor) -> None:
        """Post one message. One of the edges that catch all: a follower that causes an error is dropped."""
        keep = False
        try:
            keep = self._try_to_post(cursor)
        except Exception:
            log.exception("an event could not be sent to a follower", extra=cursor.follower.about)
        token = cursor.follower.token
        with self._posted:
            cursor.posting = False
            self._posting -= 1
            if not keep:
                self._cursors.pop(token, None)
            elif token in self._cursors:
                self._post_if_due(cursor)
            self._posted.notify_all()

    def _try_to_post(self, cursor: Cursor) -> bool:
        """Post the next message. False if the follower was dropped."""
        if cursor.frame is None:
            with self._posted:
                unsent = cursor.unsent(self._events, self._record.next_index)
            cursor.frame = cursor.framing.next(unsent)
        if not self._holds_lease():
            cursor.back_off(self._clock.monotonic())
            return True
        try:
            self._posts.post(cursor.follower.connection_id, cursor.frame.text)
        except Slow:
            cursor.back_off(self._clock.monotonic())
            return True
        except (Gone, Refused) as failure:
            log.info("a follower was dropped: %s", failure, extra=cursor.follower.about)
            self._registry.remove(cursor.follower)
            return False
        cursor.advance()
        return True
