"""Server-sent events of a run: one frame an event, ``event_index`` in its data and as its id."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from agentos_lambda.api.scope import still_counts_of
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

REVOKED = ": the credentials do not count any more\n\n"

ASK_AFTER_SECONDS = 1.0
"""How often a stream asks at most whether the credentials of its client still count."""

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """Frames as they come, kept alive, for as long as the credentials of the client count."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[str]) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        still_counts = still_counts_of(scope)
        frames = self._frames if still_counts is None else counted(self._frames, still_counts)
        self.body_iterator = kept_alive(frames)
        await super().__call__(scope, receive, send)


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


async def counted(frames: AsyncIterator[str], still_counts: Callable[[], bool]) -> AsyncIterator[str]:
    """The frames while ``still_counts``, which may block, says so; then a comment. A run that executes here goes on."""
    clock, asked_at = asyncio.get_running_loop().time, -math.inf
    async for each in frames:
        if clock() - asked_at >= ASK_AFTER_SECONDS:
            if not await asyncio.to_thread(still_counts):
                yield REVOKED
                return
            asked_at = clock()
        yield each


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
