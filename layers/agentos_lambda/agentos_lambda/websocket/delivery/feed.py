"""An attempt's events on their way to the run's followers, while it executes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from agentos_lambda.protocol.events import Speaker, is_text, speaker_of
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

_FLUSH_SECONDS = 5.0
"""How long a run that is handed over waits for its followers to get what they do not have yet."""


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What feeds work with."""

    registry: FollowerRegistry
    event_log: EventLog
    posts: Posts
    final: FinalDelivery
    clock: Clock
    pool: Executor
    """Does the posting."""
    text_interval_ms: int
    """Text is sent to a follower at most this often; 0: at once."""


class LiveFeed:
    """Implements ``runs.ports.Feed``, in threads, so that a component that blocks the event loop delays no follower.

    All of the attempt's events stay in memory, and each follower has a cursor in them. Text that comes soon after other
    text waits, and text piles up behind a message that is on its way: the next message takes as much of it as can be
    merged. Any other event is sent at once, with the text before it, and so is the first text of each speaker.
    """

    def __init__(self, record: RunRecord, context: FeedContext, *, holds_lease: Callable[[], bool]) -> None:
        self.text_interval_ms = context.text_interval_ms
        self.flush_seconds = _FLUSH_SECONDS
        self._record = record
        self._context = context
        self._holds_lease = holds_lease
        self._events: list[IndexedEvent] = []
        self._speakers: set[Speaker] = set()
        self._cursors: dict[str, Cursor] = {}
        self._posting = 0
        self._over = False
        lock = threading.RLock()
        self._posted = threading.Condition(lock)
        """Guards the five above. Notified after each post."""
        self._text_waits = threading.Condition(lock)
        """The same lock. Notified when text begins to wait, and when the feed is over."""
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Refresh about once a second, and send text that has waited, each in a thread."""
        for name, target in (("followers", self._keep_refreshing), ("text", self._keep_releasing)):
            thread = threading.Thread(target=target, name=f"{name}-{self._record.run_id}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def publish(self, indexed: IndexedEvent) -> None:
        with self._posted:
            self._events.append(indexed)
            text = is_text(indexed.event)
            waits = text and (speaker := speaker_of(indexed.event)) in self._speakers
            if text and not waits:
                self._speakers.add(speaker)
            for cursor in self._cursors.values():
                if not waits or self._context.clock.monotonic() >= cursor.text_due_at:
                    self._release(cursor)
                elif cursor.released == indexed.index - 1:
                    self._text_waits.notify_all()
                self._post_if_due(cursor)

    def release_text(self) -> float | None:
        """Send the text that has waited long enough. Gives the seconds until more of it has; None if none waits."""
        with self._posted:
            now, last = self._context.clock.monotonic(), self._last_index
            for cursor in self._cursors.values():
                if cursor.released < last and now >= cursor.text_due_at:
                    self._release(cursor)
                    self._post_if_due(cursor)
            waiting = [cursor.text_due_at - now for cursor in self._cursors.values() if cursor.released < last]
            return min(waiting, default=None)

    def refresh(self) -> None:
        """See who follows the run now, and retry what could not be posted."""
        followers = {each.token: each for each in self._context.registry.of_run(self._record.run_id)}
        for token in followers.keys() - self._cursors.keys():
            cursor = self._take(followers[token])
            if cursor is not None:
                with self._posted:
                    self._cursors[token] = cursor
                    self._release(cursor)
        with self._posted:
            for token in self._cursors.keys() - followers.keys():
                del self._cursors[token]
            for cursor in self._cursors.values():
                self._post_if_due(cursor)

    def hand_over(self) -> None:
        self._ending.set()
        for thread in self._threads[:1]:
            thread.join()  # it takes no more followers
        with self._posted:
            for cursor in self._cursors.values():
                self._release(cursor)
                self._post_if_due(cursor)
            self._posted.wait_for(self._all_is_posted, timeout=self.flush_seconds)
        try:
            for cursor in self._stop().values():
                release = self._context.registry.followers.release
                release(cursor.follower, next_index=cursor.next_index, attempt=self._record.attempt)
        except StoreUnavailable:
            # The next attempt takes the follower for one whose executor has died, and begins with its own events.
            log.warning("a follower was not handed over", extra={"run_id": self._record.run_id})

    def end(self, record: RunRecord) -> None:
        cursors = self._stop()
        if record.status.active:
            return  # another executor or the sweeper ends the run
        try:
            self._context.final.to_all(record, cursors)
        except StoreUnavailable:
            log.warning("the followers did not get the end", extra={"run_id": record.run_id})

    def _stop(self) -> dict[str, Cursor]:
        """Post nothing any more. Gives the cursors, by token."""
        self._ending.set()
        with self._posted:
            self._over = True
            self._text_waits.notify_all()
        for thread in self._threads:
            thread.join()
        with self._posted:
            self._posted.wait_for(lambda: self._posting == 0)
            return dict(self._cursors)

    def _all_is_posted(self) -> bool:
        """Under the lock."""
        first_index = self._record.next_index
        return not any(each.posting or each.is_due(self._events, first_index) for each in self._cursors.values())

    def _keep_refreshing(self) -> None:
        while not self._ending.is_set():
            try:
                self.refresh()
            except StoreUnavailable:
                log.warning("the followers of the run are unknown", extra={"run_id": self._record.run_id})
            self._ending.wait(POLL_INTERVAL_MS / 1000)

    def _keep_releasing(self) -> None:
        with self._text_waits:
            while not self._over:
                self._text_waits.wait(self.release_text())

    @property
    def _last_index(self) -> int:
        """Of the last event so far. Under the lock."""
        return self._events[-1].index if self._events else self._record.next_index - 1

    def _release(self, cursor: Cursor) -> None:
        """Let all events so far be sent now. Under the lock."""
        due_at = self._context.clock.monotonic() + self.text_interval_ms / 1000
        cursor.release(self._last_index, text_due_at=due_at)

    def _take(self, follower: Follower) -> Cursor | None:
        """A cursor for the follower; None if it is gone."""
        attempt, first_index, next_index = self._record.attempt, self._record.next_index, follower.next_index
        if follower.attempt not in (None, attempt):
            # The executor of that attempt has died, and it is unknown how many of its events it has posted.
            next_index = max(next_index, first_index)
        if follower.attempt != attempt and not self._context.registry.followers.take(follower, attempt=attempt):
            return None
        log_read = self._context.event_log.read
        earlier = log_read(self._record, after=next_index - 1) if next_index < first_index else ()
        return Cursor(
            follower,
            Framing(self._record, follower.form),
            next_index,
            [indexed for indexed in earlier if indexed.index < first_index],
        )

    def _post_if_due(self, cursor: Cursor) -> None:
        """Post the next message, if there is one, none is on its way, and the feed is not over. Under the lock."""
        if self._over or cursor.posting or self._context.clock.monotonic() < cursor.retry_at:
            return
        if cursor.is_due(self._events, self._record.next_index):
            cursor.posting = True
            self._posting += 1
            self._context.pool.submit(self._post_one, cursor)

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
        clock = self._context.clock
        if not self._holds_lease():
            cursor.back_off(clock.monotonic())
            return True
        try:
            self._context.posts.post(cursor.follower.connection_id, cursor.frame.text)
        except Slow:
            cursor.back_off(clock.monotonic())
            return True
        except (Gone, Refused) as failure:
            log.info("a follower was dropped: %s", failure, extra=cursor.follower.about)
            self._context.registry.remove(cursor.follower)
            return False
        cursor.advance()
        return True
