"""The Lambda Runtime API of one execution environment, on a port of its own.

httptools reads the requests, since an error within a streamed answer comes in trailers, which HTTP servers for apps
drop.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import httptools

from agentos_lambda.aws.runtime.connection import read_in_small_buffers
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
        read_in_small_buffers(writer.transport)
        exchange = asyncio.create_task(self._serve(reader, writer))
        self._exchanges[exchange] = writer
        exchange.add_done_callback(self._exchanges.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connection = _Connection(reader, writer)
            with contextlib.suppress(OSError, httptools.HttpParserError, httptools.HttpParserUpgrade):
                while connection.goes_on:
                    await self._exchange(connection)
        finally:
            writer.close()

    async def _exchange(self, connection: _Connection) -> None:
        request = await connection.request()
        path = request.path
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
        except (OSError, httptools.HttpParserError):
            invocation.fail(InvocationFailed("the answer broke off"))
            raise
        if any(name == _ERROR_TYPE for name, _ in connection.trailers):
            invocation.fail(InvocationFailed("the function ended its answer with an error"))
        invocation.finish()
        await asyncio.sleep(0)  # its client waits, the function does not: the reader goes first
        await connection.answer(HTTPStatus.ACCEPTED, _ACCEPTED)


_Headers = Sequence[tuple[bytes, bytes]]
"""Names are in small letters."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a request."""

    path: str
    headers: _Headers


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a request."""

    trailers: _Headers
    goes_on: bool
    """Whether another request may follow."""


class _Connection:
    """Requests and their answers over a socket, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._received: deque[_Head | bytes | _End] = deque()
        """Of each request its head, its body as it came, and its end."""
        self.trailers: _Headers = ()
        """Of the last request whose body has been read."""
        self.goes_on = True
        """Whether another request may follow that one."""

    async def request(self) -> _Head:
        """The head of the next request. Raises ``ConnectionResetError`` if there is none."""
        head = await self._next()
        if not isinstance(head, _Head):
            raise ConnectionResetError("no request")
        return head

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the request as it comes. What came together is one piece. Raises ``ConnectionResetError``."""
        part = await self._next()
        while isinstance(part, bytes):
            ready = [part]
            while self._received and isinstance(part := self._received.popleft(), bytes):
                ready.append(part)
            yield b"".join(ready)
            if isinstance(part, bytes):
                part = await self._next()
        if isinstance(part, _End):
            self.trailers, self.goes_on = part.trailers, part.goes_on

    async def read_body(self) -> bytes:
        return b"".join([piece async for piece in self.body()])

    async def answer(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        fields = {**(headers or {}), "Content-Type": "application/json", "Content-Length": str(len(body))}
        if not self.goes_on:
            fields["Connection"] = "close"
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1") + body)
        await self._writer.drain()

    async def _next(self) -> _Head | bytes | _End:
        while not self._received:
            data = await self._reader.read(64 * 1024)
            if not data:
                raise ConnectionResetError("the connection has ended")
            self._parser.feed_data(data)
        return self._received.popleft()

    # What the parser calls.

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._received.append(_Head(self._path.decode("latin-1"), self._headers))
        self._path, self._headers = b"", []

    def on_body(self, data: bytes) -> None:
        self._received.append(data)

    def on_message_complete(self) -> None:
        self._received.append(_End(self._headers, goes_on=self._parser.should_keep_alive()))
        self._headers = []
