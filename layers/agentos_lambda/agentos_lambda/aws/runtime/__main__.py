"""Serves a handler as a Lambda runtime that streams: ``python -m agentos_lambda.aws.runtime``.

Lambda's own Python runtime can not stream an answer. This loop speaks the Runtime API in its place. It starts no loop
inside a loop: the event loop runs while an invocation does, as the environment itself.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from agentos_lambda.aws.event_loop import process_loop
from agentos_lambda.aws.handlers.sink import Sink
from agentos_lambda.aws.logs import configure_logging, request_id
from agentos_lambda.aws.runtime.api import Invocation, RuntimeApi, RuntimeApiGone, RuntimeApiRefused
from agentos_lambda.aws.runtime.context import InvocationContext
from agentos_lambda.aws.runtime.recycle import retiring, start_over

Handler = Callable[[Any, Any], Any]


@runtime_checkable
class StreamingHandler(Protocol):
    """A handler that can answer some events piece by piece."""

    def streams(self, event: Any) -> bool:
        """Whether ``stream`` takes this event."""

    async def stream(self, event: Any, context: Any, sink: Sink) -> None:
        """Answer the event into ``sink``."""


logger = logging.getLogger("agentos_lambda.aws.runtime")  # its __name__ is __main__


def load_handler(name: str) -> Handler:
    """The object that Lambda's ``_HANDLER`` names: ``module.attribute``, with ``/`` for packages."""
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    return handler


class Runtime:
    """Serves one handler, one invocation at a time."""

    def __init__(self, api: RuntimeApi, handler: Handler, *, streaming: bool) -> None:
        self._api = api
        self._handler = handler
        candidate: object = handler
        self._streaming = candidate if streaming and isinstance(candidate, StreamingHandler) else None

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve until the Runtime API is gone, or this process is not to serve any more as it is."""
        while not retiring():
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
        except RuntimeApiRefused:
            logger.exception("the Runtime API refused the answer")

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
    """Where X-Ray's and AWS's own SDKs look for the trace. None of an earlier invocation may stay there."""
    if trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id


def main() -> int:
    """Load the handler that the environment variables name, and serve it. Gives the process's exit status."""
    configure_logging()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except BaseException as error:  # the edge: Lambda wants to know of SystemExit, too
        logger.exception("%s could not be loaded", os.environ["_HANDLER"])
        api.report_init(error)
        return 1
    streaming = os.environ.get("AGENTOS_RESPONSE_MODE", "streaming") == "streaming"
    Runtime(api, handler, streaming=streaming).serve(process_loop())
    if retiring():
        start_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
