"""One request through an ASGI app into a sink: the rules that hold however the answer travels."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from agentos_lambda.aws.handlers.prelude import Prelude, PreludeTooLarge, compact_json
from agentos_lambda.aws.handlers.sink import Sink
from agentos_lambda.protocol.errors import INTERNAL_ERROR

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

INTERNAL_ERROR_BODY = compact_json(INTERNAL_ERROR).encode()

_ERROR = {"event": "error", "error": INTERNAL_ERROR["detail"], "error_code": INTERNAL_ERROR["error_code"]}
ERROR_EVENT = f"event: error\ndata: {compact_json(_ERROR)}\n\n".encode()
"""What ends an event stream that cannot go on: API Gateway would cut it, and a client could not tell why."""

_EVENT_STREAM = b"text/event-stream"
_NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

logger = logging.getLogger(__name__)


class ProtocolViolation(Exception):
    """The app broke the ASGI specification, for example by returning without a whole answer."""


class ResponseCycle:
    """The ``receive`` and ``send`` of one request."""

    def __init__(self, *, method: str, body: bytes, sink: Sink) -> None:
        self._sink = sink
        self._head_only = method == "HEAD"
        self._request: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._over = asyncio.Event()
        self._is_event_stream = False
        self.started = False
        self.complete = False

    async def receive(self) -> Message:
        """The whole request; after that a disconnect, but not before the answer is complete.

        Starlette cancels the sender of an answer when it sees a disconnect, and Lambda never reports one.
        """
        if self._request is not None:
            request, self._request = self._request, None
            return request
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" if not self.started:
                await self._start(message)
            case "http.response.body" if self.started and not self.complete:
                await self._write(message)
            case unexpected:
                raise ProtocolViolation(f"unexpected {unexpected}")

    async def _start(self, message: Message) -> None:
        prelude = Prelude(message["status"], tuple((name, value) for name, value in message.get("headers") or ()))
        self.started = True
        try:
            await self._sink.start(prelude)
        except PreludeTooLarge:
            self.started = False  # nothing of it was sent: there is still room for an answer
            raise
        self._is_event_stream = any(
            name.lower() == b"content-type" and value.startswith(_EVENT_STREAM) for name, value in prelude.headers
        )
        self._head_only = self._head_only or prelude.status in _NO_BODY

    async def _write(self, message: Message) -> None:
        data = message.get("body") or b""
        if data and not self._head_only:
            await self._sink.write(data)
        if not message.get("more_body"):
            self.complete = True
            await self._sink.finish()
            self._over.set()

    async def fail(self, error: BaseException) -> None:
        """Answer 500 if nothing was sent yet. Later, an event stream ends with an event, another answer as broken."""
        self._over.set()
        if self.complete:
            return
        self.complete = True
        if not self.started:
            headers = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(INTERNAL_ERROR_BODY)))
            await self._sink.start(Prelude(HTTPStatus.INTERNAL_SERVER_ERROR, headers))
            if not self._head_only:
                await self._sink.write(INTERNAL_ERROR_BODY)
            await self._sink.finish()
        elif self._is_event_stream:
            await self._sink.write(ERROR_EVENT)
            await self._sink.finish()
        else:
            await self._sink.finish(error)


async def respond(app: ASGIApp, scope: Scope, body: bytes, sink: Sink) -> None:
    """Run the app for one request and see its answer through to ``sink``.

    Errors of the app are logged and answered here. What the sink raises is raised, too.
    """
    cycle = ResponseCycle(method=scope["method"], body=body, sink=sink)
    try:
        await app(scope, cycle.receive, cycle.send)
        if not cycle.complete:
            raise ProtocolViolation("the app returned before its answer was complete")
    except (Exception, asyncio.CancelledError) as error:  # the edge: whatever happened, the client gets an answer
        logger.exception("%s %s failed", scope["method"], scope["path"])
        await cycle.fail(error)
