"""An ASGI app as a Lambda handler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mangum import Mangum

from agentos_lambda.api.scope import ANSWER_BY_KEY, DEADLINE_KEY, TEXT_ONLY_KEY
from agentos_lambda.aws.event_loop import process_loop
from agentos_lambda.aws.handlers.api_events import is_http, mount, wants_whole_answer
from agentos_lambda.aws.handlers.cycle import INTERNAL_ERROR_BODY, ASGIApp, Receive, Scope, Send, respond
from agentos_lambda.aws.handlers.sink import CollectingSink, Sink
from agentos_lambda.aws.logs import request_id
from agentos_lambda.runs.clock import Clock, SystemClock

_REQUEST_MARGIN_MS = 5_000
"""Before the function's own deadline: for a run to end, and its answer to go out."""

Fallback = Callable[[Any, Any], Any]
"""A handler of ``(event, context)`` whose result is JSON."""


class UnsupportedEvent(TypeError):
    """The event is not an HTTP request, and there is no fallback for others."""


class LambdaHandler:
    """One app with two faces: called, it gives a whole answer; ``stream`` gives it piece by piece.

    Which of the two is used is decided by the runtime that loads the handler, and by the request. The app cannot tell.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock | None = None,
        *,
        fallback: Fallback | None = None,
        answer_within_ms: int | None = None,
    ) -> None:
        """``answer_within_ms``: how long a stage waits that takes whole answers only."""
        self._app = app
        self._clock = clock or SystemClock()
        self._fallback = fallback
        self._answer_within_ms = answer_within_ms
        asyncio.set_event_loop(process_loop())
        self._mangum = Mangum(self._whole, lifespan="off")

    def __call__(self, event: Any, context: Any) -> Any:
        """The answer to an HTTP event, in the form that API Gateway wants, or the fallback's to any other.

        Raises ``UnsupportedEvent``. Must not be called while an event loop runs in this thread.
        """
        if is_http(event):
            asyncio.set_event_loop(process_loop())
            request_id.take(context)
            return self._mangum(event, context)
        if self._fallback is None:
            raise UnsupportedEvent("not an HTTP event")
        return self._fallback(event, context)

    def streams(self, event: Any) -> bool:
        """Whether ``stream`` takes this event, and whoever sent it takes a stream."""
        return is_http(event) and not wants_whole_answer(event)

    async def stream(self, event: Any, context: Any, sink: Sink) -> None:
        """Answer an HTTP event into ``sink``. Raises what the sink raises; errors of the app are answered."""
        request = self._mangum.infer(event, context)
        scope: Scope = request.scope
        self._prepare(scope)
        await respond(self._app, scope, request.body, sink)

    def _prepare(self, scope: Scope) -> None:
        """Tell the app, in the scope, under which prefix it is served and when a run has to end."""
        mount(scope)
        context = scope["aws.context"]
        if context is not None:
            scope[DEADLINE_KEY] = self._clock.now() + context.get_remaining_time_in_millis() - _REQUEST_MARGIN_MS

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app for Mangum: hands over an answer when all of it is there, or a 500."""
        self._prepare(scope)
        scope[TEXT_ONLY_KEY] = True
        if self._answer_within_ms is not None and wants_whole_answer(scope["aws.event"]):
            scope[ANSWER_BY_KEY] = self._clock.now() + self._answer_within_ms
        request = await receive()
        sink = CollectingSink()
        await respond(self._app, scope, request["body"], sink)
        if sink.prelude is None or sink.error is not None:
            status, headers, body = 500, [(b"content-type", b"application/json")], INTERNAL_ERROR_BODY
        else:
            # Mangum reads headers as UTF-8, while ASGI has them as Latin-1.
            utf8 = [(name, value.decode("latin-1").encode()) for name, value in sink.prelude.headers]
            status, headers, body = sink.prelude.status, utf8, bytes(sink.body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
