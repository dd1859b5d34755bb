"""Sends runs of workflows to the connections that follow them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import EventLog
from agentos_lambda.websocket.delivery.feed import LiveFeed
from agentos_lambda.websocket.delivery.final import FinalDelivery
from agentos_lambda.websocket.delivery.registry import FollowerRegistry
from agentos_lambda.websocket.ports import Posts

log = logging.getLogger(__name__)


class WebSocketFanOut:
    """Implements ``runs.ports.FanOut``."""

    def __init__(
        self,
        registry: FollowerRegistry,
        event_log: EventLog,
        posts: Posts,
        *,
        final: FinalDelivery,
        clock: Clock,
        pool: Executor,
    ) -> None:
        """``pool`` does the posting."""
        self._registry = registry
        self._log = event_log
        self._posts = posts
        self._final = final
        self._clock = clock
        self._pool = pool

    def begin(self, record: RunRecord, *, holds_lease: Callable[[], bool]) -> LiveFeed | None:
        if record.kind is not Kind.WORKFLOW:
            return None
        feed = LiveFeed(
            record,
            holds_lease=holds_lease,
            registry=self._registry,
            event_log=self._log,
            posts=self._posts,
            final=self._final,
            clock=self._clock,
            pool=self._pool,
        )
        feed.start()
        return feed

    def ended(self, record: RunRecord) -> None:
        if record.kind is not Kind.WORKFLOW:
            return
        try:
            self._final.to_all(record)
        except StoreUnavailable:
            log.warning("the followers did not get the end", extra={"run_id": record.run_id})
