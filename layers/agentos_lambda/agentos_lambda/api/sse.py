"""Server-sent events of a run: one frame an event, ``event_index`` in its data and as its id."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from agentos_lambda.api.scope import still_counts_of
from agentos_lambda.protocol.errors import INTERNAL_ERROR
from agentos_lambda.protocol.frames import json_line, sse_frame
from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import terminal_events
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import IndexedEvent
from agentos_lambda.runs.tail import Snapshot

log = logging.getLogger(__name__)

KEEP_ALIVE = b": keepalive\n\n"
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
        if still_counts is not None:
            self.body_iterator = counted(self._frames, still_counts)
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the frames. What a comment's sending raises ends the stream, too."""
        stream = _KeptAlive(send)
        async with asyncio.TaskGroup() as group:
            comments = group.create_task(stream.comment())
            await super().stream_response(stream.send)
            comments.cancel()


class _KeptAlive:
    """A stream to a client that has a comment in each silence that is too long."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._one_at_a_time = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._sent_at = self._clock()

    async def send(self, message: Message) -> None:
        async with self._one_at_a_time:
            await self._send(message)
        self._sent_at = self._clock()

    async def comment(self) -> None:
        """Send the comments, until this is cancelled: a timer for the whole stream instead of one for each frame."""
        while True:
            silence = self._clock() - self._sent_at
            if silence < KEEP_ALIVE_SECONDS:
                await asyncio.sleep(KEEP_ALIVE_SECONDS - silence)
            else:
                await self.send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})


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
    """The frames of a run that executes elsewhere, from its log. A stream that ends before the run says so, also where
    the store does not answer any more."""
    goes_on = False
    try:
        async for snapshot in snapshots:
            goes_on = snapshot.record.status.active
            for indexed in snapshot.events:
                yield frame(indexed)
    except StoreUnavailable:
        log.warning("a stream ends early: the run cannot be read")
        goes_on = True
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
