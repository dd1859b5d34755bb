"""Server-sent events of a run: one frame an event, ``event_index`` in its data and as its id."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from agentos_lambda.api.errors import INTERNAL
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import Component, IndexedEvent, RunStatus
from agentos_lambda.runs.terminal import terminal_events

log = logging.getLogger(__name__)

KEEP_ALIVE = ": keepalive\n\n"
KEEP_ALIVE_AFTER = 15.0
"""Seconds of silence after which a comment keeps the connection open."""

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream; charset=utf-8"


def frame(indexed: IndexedEvent) -> str:
    """The event as a frame: name, id, and compact JSON."""
    data = json.dumps(
        {**indexed.event, "event_index": indexed.index}, separators=(",", ":"), ensure_ascii=False, default=str
    )
    return f"event: {indexed.event['event']}\nid: {indexed.index}\ndata: {data}\n\n"


async def stream_execution(execution: Execution, component: Component, clock: Clock) -> AsyncIterator[str]:
    """The frames of a run that executes here, to its terminal event, whatever happens. One of the edges that catch
    all: what nobody expected ends the stream with an error event, and the run is swept."""
    index = -1
    try:
        async for indexed in _with_silences(execution.events()):
            if indexed is None:
                yield KEEP_ALIVE
            else:
                index = indexed.index
                yield frame(indexed)
    except Exception:
        log.exception("the execution failed", extra={"run_id": execution.record.run_id})
        for event in terminal_events(
            execution.record, component, RunStatus.ERROR, now=clock.now(), content=None, error=INTERNAL
        ):
            index += 1
            yield frame(IndexedEvent(index, event))


async def _with_silences(events: AsyncIterator[IndexedEvent]) -> AsyncIterator[IndexedEvent | None]:
    """The events, and None for each silence that is too long."""
    pending = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=KEEP_ALIVE_AFTER)
            if not done:
                yield None
                continue
            indexed = pending.result()
            if indexed is None:
                return
            yield indexed
            pending = asyncio.ensure_future(anext(events, None))
    finally:
        pending.cancel()
