"""Sends runs of workflows to the connections that follow them."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.websocket.delivery.feed import FeedContext, LiveFeed

log = logging.getLogger(__name__)


class WebSocketFanOut:
    """Implements ``runs.ports.FanOut``."""

    def __init__(self, context: FeedContext) -> None:
        self._context = context

    def begin(self, record: RunRecord, *, holds_lease: Callable[[], bool]) -> LiveFeed | None:
        if record.kind is not Kind.WORKFLOW:
            return None
        feed = LiveFeed(record, self._context, holds_lease=holds_lease)
        feed.start()
        return feed

    def ended(self, record: RunRecord) -> None:
        if record.kind is not Kind.WORKFLOW:
            return
        try:
            self._context.final.to_all(record)
        except StoreUnavailable:
            log.warning("the followers did not get the end", extra={"run_id": record.run_id})
