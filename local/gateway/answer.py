"""A function's answer as an HTTP response: what API Gateway makes of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentos_lambda.aws.handlers.prelude import DELIMITER, MAX_BYTES
from local.functions.invocation import Invocation, InvocationFailed, ResponseMode

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})


class MalformedAnswer(InvocationFailed):
    """The function's answer is not in the form that API Gateway takes."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body comes in pieces. Its iteration raises ``InvocationFailed`` if it breaks off."""

    head: Head
    body: AsyncIterator[bytes]


async def read_response(invocation: Invocation, integration: ResponseMode) -> Response:
    """The response, once its head is known. Raises ``InvocationFailed``, ``MalformedAnswer``.

    ``integration`` is what API Gateway expects. It fails on a whole answer where it wants a stream; of a stream that
    it does not want it passes on the head alone.
    """
    if await invocation.mode() is ResponseMode.STREAMING:
        response = await _streamed(invocation.pieces())
        return response if integration is ResponseMode.STREAMING else _without_body(response.head)
    if integration is ResponseMode.STREAMING:
        raise MalformedAnswer("the function answered in one piece, the integration wants a stream")
    payload = b"".join([piece async for piece in invocation.pieces()])
    return _buffered(payload)


async def _streamed(pieces: AsyncIterator[bytes]) -> Response:
    received = b""
    async for piece in pieces:
        received += piece
        end = received.find(DELIMITER, 0, MAX_BYTES)
        if end >= 0:
            return Response(_head(_parse(received[:end])), _rest(received[end + len(DELIMITER) :], pieces))
        if len(received) > MAX_BYTES:
            raise MalformedAnswer(f"no delimiter in the first {MAX_BYTES} bytes")
    raise MalformedAnswer("the answer ended before its delimiter")


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in pieces:
        yield piece


def _without_body(head: Head) -> Response:
    async def nothing() -> AsyncIterator[bytes]:
        return
        yield

    headers = tuple((name, value) for name, value in head.headers if name != b"content-length")
    return Response(Head(head.status, headers), nothing())


def _buffered(payload: bytes) -> Response:
    answer = _parse(payload)
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise MalformedAnswer("the body is not a string")
    try:
        content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    except binascii.Error as error:
        raise MalformedAnswer("the body is not base64") from error
    head = _head(answer)
    headers = [(name, value) for name, value in head.headers if name != b"content-length"]
    headers.append((b"content-length", b"%d" % len(content)))

    async def whole() -> AsyncIterator[bytes]:
        yield content

    return Response(Head(head.status, tuple(headers)), whole())


def _parse(document: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(document)
    except ValueError as error:
        raise MalformedAnswer("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise MalformedAnswer("the answer is no object")
    return answer


def _head(answer: Mapping[str, Any]) -> Head:
    """Status and headers, the same for both ways: a header in both maps is taken from the one with many values."""
    try:
        status = int(answer["statusCode"])
        if status not in range(200, 600):
            raise ValueError(status)
        repeated = {name.lower(): values for name, values in (answer.get("multiValueHeaders") or {}).items()}
        single = {name.lower(): [value] for name, value in (answer.get("headers") or {}).items()}
        cookies = {"set-cookie": answer["cookies"]} if answer.get("cookies") else {}
        headers = tuple(
            (name.encode("latin-1"), str(value).encode("latin-1", "replace"))
            for name, values in {**single, **repeated, **cookies}.items()
            for value in values
            if name not in _HOP_BY_HOP
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedAnswer("statusCode or headers are not what they should be") from error
    return Head(status, headers)
