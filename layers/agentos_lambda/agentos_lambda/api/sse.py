"""Server-sent events of a run: one frame an event, ``event_index`` in its data and as its id."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from agentos_lambda.protocol.errors import INTERNAL_ERROR
from agentos_lambda.protocol.frames import json_line, sse_frame
from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import terminal_events
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import IndexedEvent
from agentos_lambda.runs.tail import Snapshot

log = logging.getLogger(__name__)

KEEP_ALIVE = ": keepalive\n\n"
KEEP_ALIVE_SECONDS = 15.0
"""How long a stream may be silent before a comment keeps the connection open."""

GOES_ON = ": the run goes on, resume from the last event\n\n"

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Frames as they come, kept alive."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[str]) -> None:
        super().__init__(kept_alive(frames), headers=_HEADERS)


def frame(indexed: IndexedEvent) -> str:
    """The event as a frame: name, id, and compact JSON."""
    data = json_line({**indexed.event, "event_index": indexed.index})
    return sse_frame(indexed.event["event"], data, index=indexed.index)


def control_frame(message: JsonObject) -> str:
    """A frame that is not an event of a run. It has no index, and spaces in its JSON, as in AgentOS."""
    return sse_frame(message["event"], json.dumps(message))


async def stream_execution(execution: Execution, name: str, clock: Clock) -> AsyncIterator[str]:
    """The frames of a run of the component ``name`` that executes here, to its terminal event, or until it is handed
    over, whatever happens.

    One of the edges that catch all: an unexpected error ends the stream with an error event, and
    the sweeper ends the run.
    """
    index = -1
    try:
        async for indexed in execution.events():
            index = indexed.index
            yield frame(indexed)
        if execution.handed_over:
            yield GOES_ON
    except Exception:
        log.exception("the execution failed", extra={"run_id": execution.record.run_id})
        for event in terminal_events(
            execution.record, name, RunStatus.ERROR, now=clock.now(), error=INTERNAL_ERROR["detail"]
        ):
            index += 1
            yield frame(IndexedEvent(index, event))


async def stream_snapshots(snapshots: AsyncIterator[Snapshot]) -> AsyncIterator[str]:
    """The frames of a run that executes elsewhere, from its log. A stream that ends before the run says so."""
    goes_on = False
    async for snapshot in snapshots:
        goes_on = snapshot.record.status.active
        for indexed in snapshot.events:
            yield frame(indexed)
    if goes_on:
        yield GOES_ON


async def kept_alive(frames: AsyncIterator[str]) -> AsyncIterator[str]:
    """The frames, and a comment for each silence that is too long."""
    pending = asyncio.ensure_future(anext(frames, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield KEEP_ALIVE
                continue
            following = pending.result()
            if following is None:
                return
            yield following
            pending = asyncio.ensure_future(anext(frames, None))
    finally:
        pending.cancel()
