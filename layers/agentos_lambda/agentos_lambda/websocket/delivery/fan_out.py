"""Tells runs of workflows to the connections that follow them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.runs.timing import LOOK_EVERY
from agentos_lambda.websocket.delivery.feed import LiveRun
from agentos_lambda.websocket.delivery.final import Drain
from agentos_lambda.websocket.delivery.registry import Followings
from agentos_lambda.websocket.ports import Posts

log = logging.getLogger(__name__)


class WebSocketFanOut:
    """Implements ``runs.ports.FanOut``."""

    def __init__(
        self, followings: Followings, event_log: EventLog, posts: Posts, *, drain: Drain, clock: Clock, pool: Executor
    ) -> None:
        """``pool`` does the posting."""
        self._followings = followings
        self._log = event_log
        self._posts = posts
        self._drain = drain
        self._clock = clock
        self._pool = pool

    def begin(self, record: RunRecord, *, holds_lease: Callable[[], bool]) -> Watched | None:
        if record.kind is not Kind.WORKFLOW:
            return None
        live = LiveRun(
            record,
            holds_lease=holds_lease,
            followings=self._followings,
            event_log=self._log,
            posts=self._posts,
            drain=self._drain,
            clock=self._clock,
            pool=self._pool,
        )
        return Watched(live, record)

    def ended(self, record: RunRecord) -> None:
        if record.kind is not Kind.WORKFLOW:
            return
        try:
            self._drain.all(record)
        except StoreUnavailable:
            log.warning("the followers could not be told the end", extra={"run_id": record.run_id})


class Watched:
    """A live run, and the thread that looks about once a second who follows it."""

    def __init__(self, live: LiveRun, record: RunRecord) -> None:
        self._live = live
        self._record = record
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"followers-{record.run_id}", daemon=True)
        self._thread.start()

    def publish(self, indexed: IndexedEvent) -> None:
        self._live.publish(indexed)

    def end(self, record: RunRecord) -> None:
        self._over.set()
        self._thread.join()
        self._live.end(record)

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                self._live.look()
            except StoreUnavailable:
                log.warning("nobody knows who follows the run", extra={"run_id": self._record.run_id})
            self._over.wait(LOOK_EVERY / 1000)
