"""A client with one connection that it keeps, and what it takes of each answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

_NS = 1_000_000
"""In a millisecond."""
_IDLE_SECONDS = 2.0
"""uvicorn closes a connection that was idle for 5 seconds."""


@dataclass
class Taken:
    """Milliseconds from the request on."""

    whole: float
    """To the end of the answer."""
    first_byte: float
    """To the first byte of the body."""
    emulator: float | None = None
    """Of it, the function's requests to AWS, if it says so."""
    delays: list[float] = field(default_factory=list)
    """From when the engine gave each event to when the client had it, if the function says so."""
    body: bytes = b""


class Client:
    """Not for several threads. Each answer but that after a pause comes over the same connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._used = -_IDLE_SECONDS
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def another(self) -> Client:
        """A client of the same server, with a connection of its own."""
        return Client(self._port)

    def get(self, path: str) -> Taken:
        """Raises ``RuntimeError`` if the answer is not a success."""
        return self._ask("GET", path, None, lambda _: None)

    def post(self, path: str, form: dict[str, str], each: Callable[[bytes], None] = lambda _: None) -> Taken:
        """The same. ``each`` gets each piece of the body as it comes."""
        return self._ask("POST", path, urlencode(form).encode(), each)

    def _ask(self, method: str, path: str, body: bytes | None, each: Callable[[bytes], None]) -> Taken:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        if time.monotonic() - self._used > _IDLE_SECONDS:  # the server may be about to close it
            self._connection.close()
            self._connection.connect()
        began = time.monotonic_ns()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        first, whole, delays = 0, bytearray(), list[float]()
        while piece := answer.read1(65536):
            now = time.monotonic_ns()
            first = first or now
            whole += piece
            delays += [(now - given) / _NS for given in _given(piece)]
            each(piece)
        ended = time.monotonic_ns()
        self._used = time.monotonic()
        answer.read()  # only this says that the connection is free, where the length was known
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {bytes(whole[:500])!r}")
        emulator = answer.headers.get("x-emulator-ns")
        return Taken(
            (ended - began) / _NS,
            ((first or ended) - began) / _NS,
            int(emulator) / _NS if emulator is not None else None,
            delays,
            bytes(whole),
        )


def _given(piece: bytes) -> Iterator[int]:
    """When the engine gave the events of which the piece has the whole frame."""
    for event in events(piece):
        if "engine_ns" in event:
            yield event["engine_ns"]


def events(piece: bytes) -> Iterator[dict[str, Any]]:
    """The events whose whole frame is in it."""
    for line in piece.split(b"\n")[:-1]:
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))
