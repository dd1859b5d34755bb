"""A function's answer as an HTTP response, as API Gateway reads it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentos_lambda.aws.handlers.prelude import DELIMITER, HOP_BY_HOP, MAX_PRELUDE_BYTES
from local.functions.invocation import Invocation, InvocationFailed, ResponseMode


class MalformedAnswer(InvocationFailed):
    """The function's answer does not have the form that API Gateway accepts."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body comes in pieces. Iterating over it raises ``InvocationFailed`` if it breaks off."""

    head: Head
    body: AsyncIterator[bytes]
    is_over: Callable[[], bool]
    """Whether nothing follows the piece that was read last. If it says no, that may still be so."""


async def read_response(invocation: Invocation, integration: ResponseMode, *, decodes: bool) -> Response:
    """The response, once its head is known. Raises ``InvocationFailed``, ``MalformedAnswer``.

    ``integration`` is the mode that API Gateway expects. Where it expects a stream, a buffered answer fails. Where it
    expects a buffered answer, only the head of a streamed one is passed on. ``decodes``: whether it decodes base64 for
    this request; otherwise the client gets the base64.
    """
    if await invocation.mode() is ResponseMode.STREAMING:
        response = await _streamed(invocation)
        return response if integration is ResponseMode.STREAMING else _without_body(response.head)
    if integration is ResponseMode.STREAMING:
        raise MalformedAnswer("the function answered in one piece, but the integration expects a stream")
    payload = b"".join([piece async for piece in invocation.pieces()])
    return _buffered(payload, decodes=decodes)


async def _streamed(invocation: Invocation) -> Response:
    received, pieces = b"", invocation.pieces()
    async for piece in pieces:
        received += piece
        end = received.find(DELIMITER, 0, MAX_PRELUDE_BYTES)
        if end >= 0:
            body = _rest(received[end + len(DELIMITER) :], pieces)
            return Response(_head(_parse(received[:end])), body, invocation.is_read)
        if len(received) > MAX_PRELUDE_BYTES:
            raise MalformedAnswer(f"no delimiter in the first {MAX_PRELUDE_BYTES} bytes")
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
    return Response(Head(head.status, headers), nothing(), lambda: True)


def _buffered(payload: bytes, *, decodes: bool) -> Response:
    answer = _parse(payload)
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise MalformedAnswer("the body is not a string")
    try:
        is_binary = decodes and answer.get("isBase64Encoded")
        content = base64.b64decode(body, validate=True) if is_binary else body.encode()
    except binascii.Error as error:
        raise MalformedAnswer("the body is not base64") from error
    head = _head(answer)
    headers = [(name, value) for name, value in head.headers if name != b"content-length"]
    headers.append((b"content-length", b"%d" % len(content)))

    async def whole() -> AsyncIterator[bytes]:
        yield content

    return Response(Head(head.status, tuple(headers)), whole(), lambda: True)


def _parse(document: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(document)
    except ValueError as error:
        raise MalformedAnswer("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise MalformedAnswer("the answer is not an object")
    return answer


def _head(answer: Mapping[str, Any]) -> Head:
    """Status and headers of either kind of answer. ``multiValueHeaders`` win over ``headers`` of the same name."""
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
            if name not in HOP_BY_HOP
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedAnswer("statusCode or headers are malformed") from error
    return Head(status, headers)
