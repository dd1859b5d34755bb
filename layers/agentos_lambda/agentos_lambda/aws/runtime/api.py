"""A client of the Lambda Runtime API.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import base64
import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from agentos_lambda.aws.handlers.prelude import DELIMITER, Prelude
from agentos_lambda.aws.runtime.connection import Connection, Endpoint, StreamConnection, Streams, head_of_request
from agentos_lambda.aws.runtime.http1 import END_OF_HEAD, Head

_STREAM_TYPE = "application/vnd.awslambda.http-integration-response"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
_TRACE_CAUSE = "Lambda-Runtime-Function-XRay-Error-Cause"
_MAX_CAUSE_BYTES = 32 * 1024
"""X-Ray takes more, but a stack of many frames tells no more, and headers of this size pass everywhere."""
_CHUNK = 64 * 1024
_TAKEN = range(200, 300)
"""Statuses of an answer to an answer. Lambda itself says 202."""


class RuntimeApiGone(Exception):
    """The Runtime API does not answer any more: the environment is being shut down."""


class RuntimeApiRefused(Exception):
    """The Runtime API answered with an error status, for example 413 to an answer that is too large."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(f"{path}: {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Invocation:
    """What ``/invocation/next`` gave."""

    headers: Mapping[str, str]
    """By their names in small letters."""
    payload: bytes

    @property
    def path(self) -> str:
        """Where its answer goes, from the Runtime API's root."""
        return f"/invocation/{self.headers['lambda-runtime-aws-request-id']}"

    @property
    def echo(self) -> dict[str, str]:
        """The headers that an answer has to carry back, as Lambda's own runtime does."""
        name = "Lambda-Runtime-Invocation-Id"
        value = self.headers.get(name.lower())
        return {name: value} if value is not None else {}


def describe(error: BaseException, *, trace: bool = True) -> bytes:
    """An error as the Runtime API takes it."""
    report = {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_exception(error) if trace else [],
    }
    return json.dumps(report).encode()


def trace_cause(error: BaseException) -> dict[str, str]:
    """The header by which X-Ray shows an error with its stack; none if that is too large for a header.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors
    """
    frames = traceback.extract_tb(error.__traceback__)
    stack = [{"label": frame.name, "path": frame.filename, "line": frame.lineno} for frame in frames]
    cause = {
        "working_directory": str(Path.cwd()),
        "exceptions": [{"type": type(error).__name__, "message": str(error), "stack": stack}],
        "paths": sorted({frame.filename for frame in frames}),
    }
    value = json.dumps(cause)
    return {_TRACE_CAUSE: value} if len(value) <= _MAX_CAUSE_BYTES else {}


def _type_of(error: BaseException) -> str:
    """The name of its class for a header. Python's names may have characters that no header takes."""
    return type(error).__name__.encode("unicode_escape").decode()


class RuntimeApi:
    """The Runtime API at an address, as ``AWS_LAMBDA_RUNTIME_API`` names it. Not for several threads."""

    def __init__(self, address: str) -> None:
        self._address = Endpoint.parse(address)
        self._connection = Connection(self._address)
        self._streams = StreamConnection(self._address)

    def next(self) -> Invocation:
        """Wait for an invocation, for as long as it takes. Raises ``RuntimeApiGone``.

        A connection that is kept may be closed just as the request is sent. Asking again is safe: until an invocation
        is answered, Lambda's Runtime API gives the same one to whoever asks, even if it has been given before.
        """
        connection_is_kept = self._connection.is_kept
        try:
            headers, payload = self._call("GET", "/invocation/next")
        except RuntimeApiGone:
            if not connection_is_kept:
                raise
            headers, payload = self._call("GET", "/invocation/next")
        return Invocation(headers, payload)

    def respond(self, invocation: Invocation, payload: bytes) -> None:
        """Answer with JSON. Raises ``RuntimeApiRefused``, ``RuntimeApiGone``."""
        self._call("POST", f"{invocation.path}/response", payload, {**invocation.echo})

    def report(self, invocation: Invocation, error: BaseException) -> None:
        """Answer with an error. Only for an invocation whose answer has not begun."""
        headers = {_ERROR_TYPE: _type_of(error), **trace_cause(error), **invocation.echo}
        self._call("POST", f"{invocation.path}/error", describe(error), headers)

    def report_init(self, error: BaseException) -> None:
        """Say that the handler could not be loaded."""
        headers = {_ERROR_TYPE: _type_of(error), **trace_cause(error)}
        self._call("POST", "/init/error", describe(error), headers)

    def stream(self, invocation: Invocation) -> RuntimeSink:
        """A sink whose answer goes out as it is written."""
        return RuntimeSink(self._streams, invocation)

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Mapping[str, str], bytes]:
        fields = {"Content-Type": "application/json", **(headers or {})}
        try:
            head, answer = self._connection.ask(method, self._address.root + path, fields, body)
        except OSError as gone:
            raise RuntimeApiGone(path) from gone
        if head.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeApiRefused(head.status, path)
        return head.fields, answer


class RuntimeSink:
    """A streamed answer: one chunked request to the Runtime API, with trailers where it breaks off.

    Raises ``OSError`` when the Runtime API closes the connection.
    """

    def __init__(self, connection: StreamConnection, invocation: Invocation) -> None:
        self._connection = connection
        self._invocation = invocation
        self._streams: Streams | None = None
        self._held: list[bytes] = []
        self._missing: int | None = None
        """Bytes of the body that are still to come; None if the answer does not say. What ends a body goes out together
        with the end of the answer."""

    @property
    def started(self) -> bool:
        return self._streams is not None

    async def start(self, prelude: Prelude) -> None:
        metadata = prelude.metadata()
        address = self._connection.address
        self._streams = await self._connection.take()
        self._missing = _length(prelude)
        headers = {
            "Host": str(address),
            "Content-Type": _STREAM_TYPE,
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
            **self._invocation.echo,
        }
        head = head_of_request(f"POST {address.root}{self._invocation.path}/response", headers)
        # Chunks of their own, as Lambda's other runtimes send them: some emulators look at chunks, not at bytes.
        await self._send(head + _chunk(metadata) + _chunk(DELIMITER), at_once=self._missing is None)

    async def write(self, data: bytes) -> None:
        if self._missing is not None:
            self._missing -= len(data)
        for start in range(0, len(data), _CHUNK):
            part = data[start : start + _CHUNK]
            await self._send(_chunk(part), at_once=self._missing != 0 or len(part) == _CHUNK)

    async def finish(self, error: BaseException | None = None) -> None:
        trailers = b""
        if error is not None:
            body = base64.b64encode(describe(error, trace=False)).decode()
            trailers = f"{_ERROR_TYPE}: {_type_of(error)}\r\n{_ERROR_BODY}: {body}\r\n".encode("latin-1")
        reader, writer = streams = self._open()
        is_kept = False
        try:
            # From now on ``drain`` waits until all is sent: an answer that is accepted before its end may still lie
            # here, and the loop stands still between invocations.
            writer.transport.set_write_buffer_limits(0)
            await self._send(b"0\r\n" + trailers + b"\r\n", at_once=True)
            writer.transport.set_write_buffer_limits()
            status, is_kept = await _read_answer(reader)
        finally:
            if not is_kept:
                writer.close()
        if is_kept:
            self._connection.keep(streams)
        else:
            await writer.wait_closed()
        if status not in _TAKEN:
            raise OSError(f"the Runtime API did not take the answer: {status}")

    async def _send(self, data: bytes, *, at_once: bool) -> None:
        _, writer = self._open()
        self._held.append(data)
        if not at_once:
            return
        together = b"".join(self._held)
        self._held.clear()
        try:
            writer.write(together)
            await writer.drain()
        except OSError:
            writer.close()  # nobody finishes what cannot be written
            raise

    def _open(self) -> Streams:
        if self._streams is None:
            raise RuntimeError("the answer has not been started")
        return self._streams


def _length(prelude: Prelude) -> int | None:
    """How many bytes the answer says that its body has."""
    lengths = [value for name, value in prelude.headers if name.lower() == b"content-length"]
    return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() else None


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of the Runtime API's answer, and whether the connection can be used again after it."""
    try:
        head = Head.parse(await reader.readuntil(END_OF_HEAD))
        if not head.keeps_connection or head.length is None:
            return head.status, False
        await reader.readexactly(head.length)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise OSError("the Runtime API gave no answer") from error
    return head.status, True
