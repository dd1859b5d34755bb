"""An attempt's events on their way to those who follow it, while it goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.websocket.delivery.cursor import Subscriber
from agentos_lambda.websocket.delivery.final import Drain, Told
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.delivery.registry import Followings
from agentos_lambda.websocket.ports import Follower, Gone, Posts, Refused, Slow

log = logging.getLogger(__name__)


class LiveRun:
    """Implements ``runs.ports.LiveRun``: from threads, so that a component that blocks the event loop blocks nobody.

    All of the attempt's events stay in memory, and each follower has its place in them. While a message of a follower
    is on its way events pile up behind it; the next message takes as many of them as can be merged.
    """

    def __init__(
        self,
        record: RunRecord,
        *,
        holds_lease: Callable[[], bool],
        followings: Followings,
        event_log: EventLog,
        posts: Posts,
        drain: Drain,
        clock: Clock,
        pool: Executor,
    ) -> None:
        """``pool`` does the posting."""
        self._record = record
        self._holds_lease = holds_lease
        self._followings = followings
        self._log = event_log
        self._posts = posts
        self._drain = drain
        self._clock = clock
        self._pool = pool
        self._events: list[IndexedEvent] = []
        self._subscribers: dict[str, Subscriber] = {}
        self._posting = 0
        self._over = False
        self._idle = threading.Condition()
        """Guards the four above; notified when a post is done."""

    def publish(self, indexed: IndexedEvent) -> None:
        with self._idle:
            self._events.append(indexed)
            for subscriber in self._subscribers.values():
                self._go_on(subscriber)

    def look(self) -> None:
        """See who follows the run now, and try again what could not be posted."""
        followers = {
            follower.token: follower
            for follower in self._followings.followers.of_run(self._record.run_id)
            if follower.held_until is None
        }
        for token in followers.keys() - self._subscribers.keys():
            subscriber = self._take(followers[token])
            if subscriber is not None:
                with self._idle:
                    self._subscribers[token] = subscriber
        with self._idle:
            for token in self._subscribers.keys() - followers.keys():
                del self._subscribers[token]
            for subscriber in self._subscribers.values():
                self._go_on(subscriber)

    def end(self, record: RunRecord) -> None:
        with self._idle:
            self._over = True
            self._idle.wait_for(lambda: self._posting == 0)
            told = {
                token: Told(subscriber.next_index, subscriber.doubtful)
                for token, subscriber in self._subscribers.items()
            }
        if record.status.active:
            return  # somebody else goes on with it, or will end it
        try:
            self._drain.all(record, told)
        except StoreUnavailable:
            log.warning("the followers could not be told the end", extra={"run_id": record.run_id})

    def _take(self, follower: Follower) -> Subscriber | None:
        """Take the follower on; None if it follows no more."""
        attempt, first_index, next_index = self._record.attempt, self._record.next_index, follower.next_index
        if follower.attempt not in (None, attempt):
            # The executor of that attempt has died, and nobody knows how much of its events it has posted.
            next_index = max(next_index, first_index)
        if follower.attempt != attempt and not self._followings.followers.take(follower, attempt=attempt):
            return None
        earlier = self._log.read(self._record, after=next_index - 1) if next_index < first_index else ()
        return Subscriber(
            follower,
            Framing(self._record, follower.form),
            next_index,
            [indexed for indexed in earlier if indexed.index < first_index],
        )

    def _go_on(self, subscriber: Subscriber) -> None:
        """Post the next message, if there is one, none is on its way, and the run is not over. Under the lock."""
        if self._over or subscriber.posting or self._clock.monotonic() < subscriber.retry_at:
            return
        if subscriber.frame is not None or subscriber.untold(self._events, self._record.next_index):
            subscriber.posting = True
            self._posting += 1
            self._pool.submit(self._turn, subscriber)

    def _turn(self, subscriber: Subscriber) -> None:
        """Post one message. One of the edges that catch all: a follower that makes trouble is dropped."""
        keep = False
        try:
            keep = self._post_next(subscriber)
        except Exception:
            log.exception("a follower could not be told", extra=subscriber.follower.about)
        token = subscriber.follower.token
        with self._idle:
            subscriber.posting = False
            self._posting -= 1
            if not keep:
                self._subscribers.pop(token, None)
            elif token in self._subscribers:
                self._go_on(subscriber)
            self._idle.notify_all()

    def _post_next(self, subscriber: Subscriber) -> bool:
        """Post the next message. False if the follower was dropped."""
        if subscriber.frame is None:
            with self._idle:
                untold = subscriber.untold(self._events, self._record.next_index)
            subscriber.frame = subscriber.framing.next(untold)
        if not self._holds_lease():
            subscriber.back_off(self._clock.monotonic())
            return True
        try:
            self._posts.post(subscriber.follower.connection_id, subscriber.frame.text)
        except Slow:
            subscriber.back_off(self._clock.monotonic())
            return True
        except (Gone, Refused) as failure:
            log.info("a follower was dropped: %s", failure, extra=subscriber.follower.about)
            self._followings.end(subscriber.follower)
            return False
        subscriber.told()
        return True
