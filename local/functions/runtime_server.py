"""The Lambda Runtime API of one execution environment, on a port of its own.

h11 reads the requests, since an error within a streamed answer comes in trailers, which HTTP servers for apps drop.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import h11

from local.functions.invocation import Invocation, InvocationFailed, ResponseMode

_ROOT = "/2018-06-01/runtime"
_ANSWER = re.compile(rf"{_ROOT}/invocation/(?P<id>[\w-]+)/(?P<what>response|error)")
_ERROR_TYPE = b"lambda-runtime-function-error-type"
_ACCEPTED = b'{"status":"OK"}'
MAX_ANSWER_BYTES = 6 * 1024 * 1024
"""Lambda's limit for an answer that is not streamed."""


class Tenant(Protocol):
    """The environment that the Runtime API serves."""

    async def next(self) -> Invocation:
        """The next invocation. Waits until there is one."""

    def current(self, request_id: str) -> Invocation | None:
        """The current invocation, if it has this request id."""


class RuntimeServer:
    """Listens for as long as the environment lives."""

    def __init__(self, tenant: Tenant, *, function_arn: str) -> None:
        self._tenant = tenant
        self._function_arn = function_arn
        self._server: asyncio.Server | None = None
        self._exchanges: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._closed = False

    async def start(self) -> str:
        """Listen on a free port. Gives the address, ``host:port``."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        """Stop listening. Call it once the runtime has ended: a connection that is being accepted would be lost."""
        if self._server is not None:
            self._server.close()

    async def end_exchanges(self) -> None:
        """Abort all exchanges, and accept no new ones."""
        self._closed = True
        exchanges = dict(self._exchanges)
        for exchange, writer in exchanges.items():
            writer.transport.abort()  # its reader has ended or is ending: what is left to send has no reader
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the loop's next iteration

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Not a coroutine, so that a connection is known as soon as it exists and none is missed at the end."""
        if self._closed:
            writer.transport.abort()
            return
        exchange = asyncio.create_task(self._serve(reader, writer))
        self._exchanges[exchange] = writer
        exchange.add_done_callback(self._exchanges.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connection = _Connection(reader, writer)
            with contextlib.suppress(OSError, h11.RemoteProtocolError):
                await self._exchange(connection)
                while connection.goes_on():
                    await self._exchange(connection)
        finally:
            writer.close()

    async def _exchange(self, connection: _Connection) -> None:
        request = await connection.request()
        path = request.target.decode("ascii")
        if path == f"{_ROOT}/invocation/next":
            await connection.read_body()
            await self._next(connection)
        elif path == f"{_ROOT}/init/error":
            await connection.read_body()  # the process logs the same error and ends
            await connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)
        elif (match := _ANSWER.fullmatch(path)) and (invocation := self._tenant.current(match["id"])):
            if match["what"] == "error":
                await self._failed(connection, invocation)
            elif (b"lambda-runtime-function-response-mode", b"streaming") in request.headers:
                await self._streamed(connection, invocation)
            else:
                await self._buffered(connection, invocation)
        else:
            await connection.read_body()
            await connection.answer(HTTPStatus.FORBIDDEN, b'{"errorType":"InvalidRequestID"}')

    async def _next(self, connection: _Connection) -> None:
        invocation = await self._tenant.next()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{invocation.request_id};Sampled=0",
        }
        await connection.answer(HTTPStatus.OK, invocation.event, headers)

    async def _failed(self, connection: _Connection, invocation: Invocation) -> None:
        await connection.read_body()
        invocation.fail(InvocationFailed("the function reported an error"))
        await connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)

    async def _buffered(self, connection: _Connection, invocation: Invocation) -> None:
        payload = await connection.read_body()
        if len(payload) > MAX_ANSWER_BYTES:
            invocation.fail(InvocationFailed(f"the answer has {len(payload)} bytes, over 6 MB"))
            await connection.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b'{"errorType":"ResponseSizeTooLarge"}')
            return
        invocation.start_answer(ResponseMode.BUFFERED)
        await invocation.write(payload)
        # Before the function learns of it: it may ask for more at once, which ends the current invocation.
        invocation.finish()
        await connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)

    async def _streamed(self, connection: _Connection, invocation: Invocation) -> None:
        invocation.start_answer(ResponseMode.STREAMING)
        try:
            async for piece in connection.body():
                await invocation.write(piece)
        except (OSError, h11.RemoteProtocolError):
            invocation.fail(InvocationFailed("the answer broke off"))
            raise
        if any(name == _ERROR_TYPE for name, _ in connection.trailers):
            invocation.fail(InvocationFailed("the function ended its answer with an error"))
        invocation.finish()
        await connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)


class _Connection:
    """Requests and their answers over a socket, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        self.trailers: Sequence[tuple[bytes, bytes]] = ()
        """Of the last request whose body has been read."""

    async def request(self) -> h11.Request:
        """The head of the request. Raises ``ConnectionResetError`` if there is none."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            await self._receive()
        if not isinstance(event, h11.Request):
            raise ConnectionResetError("no request")
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the request as it comes. What came together is one piece."""
        ready: list[bytes] = []
        while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                ready.append(event.data)
                continue
            if ready:
                yield b"".join(ready)
                ready.clear()
            await self._receive()
        if ready:
            yield b"".join(ready)
        self.trailers = event.headers

    async def read_body(self) -> bytes:
        return b"".join([piece async for piece in self.body()])

    async def answer(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        fields = {**(headers or {}), "Content-Type": "application/json", "Content-Length": str(len(body))}
        head = h11.Response(status_code=status, headers=[*fields.items()])
        events = (head, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()

    def goes_on(self) -> bool:
        """Whether another request may follow the one that has been answered."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _receive(self) -> None:
        self._http.receive_data(await self._reader.read(64 * 1024))
