"""Serves a handler as a Lambda runtime that streams.

Lambda's own Python runtime cannot stream an answer. This loop speaks the Runtime API in its place. It starts no loop
inside a loop: the event loop runs only while an invocation does, like the environment itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from agentos_lambda.aws.handlers.sink import Sink
from agentos_lambda.aws.logs import request_id
from agentos_lambda.aws.runtime.api import Invocation, RuntimeApi, RuntimeApiGone, RuntimeApiRefused
from agentos_lambda.aws.runtime.context import InvocationContext
from agentos_lambda.aws.runtime.recycle import recycle_due

Handler = Callable[[Any, Any], Any]

logger = logging.getLogger("agentos_lambda.aws.runtime")  # one name for all of the runtime


@runtime_checkable
class StreamingHandler(Protocol):
    """A handler that can answer some events piece by piece."""

    def streams(self, event: Any) -> bool:
        """Whether ``stream`` takes this event."""

    async def stream(self, event: Any, context: Any, sink: Sink) -> None:
        """Answer the event into ``sink``."""


class Runtime:
    """Serves one handler, one invocation at a time."""

    def __init__(self, api: RuntimeApi, handler: Handler) -> None:
        self._api = api
        self._handler = handler
        candidate: object = handler
        self._streaming = candidate if isinstance(candidate, StreamingHandler) else None

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve until the Runtime API is gone, or this process has to be recycled."""
        while not recycle_due():
            try:
                self._serve_one(loop)
            except RuntimeApiGone:
                return

    def _serve_one(self, loop: asyncio.AbstractEventLoop) -> None:
        invocation = self._api.next()
        context = InvocationContext.of(invocation.headers)
        request_id.take(context)
        _set_trace(context.trace_id)
        try:
            event = json.loads(invocation.payload)
            if self._streaming is not None and self._streaming.streams(event):
                loop.run_until_complete(self._stream(self._streaming, event, context, invocation))
            else:
                self._answer(event, context, invocation)
        except (RuntimeApiRefused, RuntimeApiGone):
            # It may close the connection before it has read all of an answer that is too large. If it is gone, asking
            # for the next invocation shows it.
            logger.exception("the Runtime API did not take the answer")

    def _answer(self, event: Any, context: InvocationContext, invocation: Invocation) -> None:
        try:
            # Not escaped, as Lambda's own runtime does it: the limit of 6 MB counts these bytes.
            payload = json.dumps(self._handler(event, context), ensure_ascii=False).encode()
        except Exception as error:  # the edge: an error of the handler is the invocation's, not the runtime's
            logger.exception("the handler failed")
            self._api.report(invocation, error)
        else:
            self._api.respond(invocation, payload)

    async def _stream(
        self, handler: StreamingHandler, event: Any, context: InvocationContext, invocation: Invocation
    ) -> None:
        sink = self._api.stream(invocation)
        try:
            await handler.stream(event, context, sink)
        except Exception as error:  # the edge, as above
            logger.exception("the handler failed")
            if not sink.started:
                self._api.report(invocation, error)


def _set_trace(trace_id: str | None) -> None:
    """Where X-Ray's and AWS's own SDKs look for the trace. That of an earlier invocation must not stay there."""
    if trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
