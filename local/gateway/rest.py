"""The local REST API: an ASGI app that turns requests into events, and answers into responses."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from local.functions.function import Function
from local.functions.invocation import InvocationFailed, ResponseMode
from local.gateway.answer import Head, Response, read_response
from local.gateway.api_event import MAX_EVENT_BYTES, EventTooLarge, HttpRequest, Stage, decodes_answers, encode_event
from local.gateway.patience import Patience, TookTooLong
from local.gateway.routing import Match, Router
from local.template.gateway_responses import GatewayResponse, Refusal

logger = logging.getLogger(__name__)


class Gateway:
    """A REST API in front of functions, at a base URL without a stage."""

    def __init__(
        self,
        router: Router,
        functions: Mapping[str, Function],
        *,
        stage: Stage,
        streaming: frozenset[str],
        timeouts: Mapping[str, float],
        responses: Mapping[Refusal, GatewayResponse],
        idle_seconds: float,
    ) -> None:
        """``streaming``: the functions whose integrations stream; ``timeouts``: seconds that each one's wait.

        A stream that is idle for ``idle_seconds`` is cut:
        https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
        """
        self._router = router
        self._functions = functions
        self._streaming = streaming
        self._timeouts = timeouts
        self._responses = responses
        self._idle_seconds = idle_seconds
        self._stage = stage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii")
        match = self._router.match(request.method, path)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return
        if match is None:
            await self._refuse(send, Refusal.NO_ROUTE)
            return
        try:
            event = self._event(request, match, path, body)
        except EventTooLarge:
            await self._refuse(send, Refusal.TOO_LARGE)
            return
        decodes = decodes_answers(request.headers.get("accept", ""), self._stage.binary_types)
        failure = await self._invoke(match.function, event, send, decodes=decodes)
        if failure is not None:
            logger.warning("%s %s failed: %s", request.method, path, failure)

    def _event(self, request: Request, match: Match, path: str, body: bytes | None) -> bytes:
        if body is None:
            raise EventTooLarge("the body alone is over 6 MB")
        http_request = HttpRequest(
            method=request.method,
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]],
            body=body,
            source_ip=request.client.host if request.client else "127.0.0.1",
            protocol=f"HTTP/{request.scope['http_version']}",
        )
        return encode_event(http_request, match, self._stage)

    async def _invoke(self, function: str, event: bytes, send: Send, *, decodes: bool) -> InvocationFailed | None:
        """Send the function's answer. Gives what went wrong."""
        integration, waits = ResponseMode.BUFFERED, self._timeouts[function]
        if function in self._streaming:
            integration, waits = ResponseMode.STREAMING, min(waits, self._idle_seconds)
        invocation = self._functions[function].invoke(event)
        patience = Patience(invocation, seconds=waits, idle_seconds=self._idle_seconds)
        try:
            response = await read_response(invocation, integration, decodes=decodes)
            patience.has_head()
            return await _pass_on(response, send, patience)
        except TookTooLong as failure:
            await self._refuse(send, Refusal.TIMED_OUT)
            return failure
        except InvocationFailed as failure:
            await self._refuse(send, Refusal.FAILED)
            return failure
        finally:
            patience.end()
            invocation.abandon()

    async def _refuse(self, send: Send, refusal: Refusal) -> None:
        """Answer as API Gateway itself does."""
        response = self._responses[refusal]
        await _start(send, Head(response.status, response.headers))
        await send({"type": "http.response.body", "body": response.body, "more_body": False})


async def _pass_on(response: Response, send: Send, patience: Patience) -> InvocationFailed | None:
    """Send the response. If it breaks off, the connection does too, so the client sees that it is incomplete."""
    await _start(send, response.head)
    is_over = False
    try:
        patience.wait()
        async for piece in response.body:
            patience.go_on()
            is_over = response.is_over()
            await send({"type": "http.response.body", "body": piece, "more_body": not is_over})
            patience.wait()
    except InvocationFailed as failure:
        return failure
    if not is_over:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    return None


async def _start(send: Send, head: Head) -> None:
    await send({"type": "http.response.start", "status": head.status, "headers": list(head.headers)})


async def _read_body(request: Request) -> bytes | None:
    """The whole body, or None if it is over the limit.

    It is read to its end in either case: a client that is still sending does not read the answer.
    """
    body = bytearray()
    too_large = False
    async for piece in request.stream():
        too_large = too_large or len(body) + len(piece) > MAX_EVENT_BYTES
        if not too_large:
            body += piece
    return None if too_large else bytes(body)
