"""One invocation of a function: an event goes in, an answer comes out."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum


class ResponseMode(StrEnum):
    """How a function answers: with one JSON document, or with a prelude and a body in pieces."""

    BUFFERED = "buffered"
    STREAMING = "streaming"


class InvocationFailed(Exception):
    """There is no answer, or the answer broke off."""


class InvocationTimedOut(InvocationFailed):
    """The function exceeded its timeout."""


@dataclass(eq=False)
class Invocation:
    """The answer is a pipe that holds one piece: each ``write`` waits until the reader has passed the last one on."""

    event: bytes
    timeout_seconds: float
    """How long the function has."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    """Milliseconds since the epoch. Set when the invocation begins."""

    def __post_init__(self) -> None:
        self._mode: ResponseMode | None = None
        self._begun = asyncio.Event()
        """There is a mode, or a failure."""
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._free = asyncio.Event()
        self._free.set()
        self._failure: InvocationFailed | None = None
        self._abandoned = False
        self.answered = False
        """The answer is complete, or has failed."""

    def begin(self) -> None:
        """The function has received the event, and its time runs."""
        self.deadline_ms = int((time.time() + self.timeout_seconds) * 1000)

    def start_answer(self, mode: ResponseMode) -> None:
        """The function has begun to answer."""
        if self._mode is None:
            self._mode = mode
            self._begun.set()

    async def write(self, piece: bytes) -> None:
        """Give the reader bytes of the answer, once it has passed on those before."""
        await self._free.wait()
        if not (self._abandoned or self.answered):
            self._free.clear()
            self._pieces.put_nowait(piece)

    def finish(self) -> None:
        """The answer is complete."""
        if not self.answered:
            self.answered = True
            self._pieces.put_nowait(None)

    def fail(self, failure: InvocationFailed) -> None:
        """There is no answer, or the answer broke off. The first failure counts."""
        if not self.answered:
            self.answered = True
            self._break_off(failure)

    async def mode(self) -> ResponseMode:
        """How the function answers, once it has begun to. Raises ``InvocationFailed``."""
        await self._begun.wait()
        if self._mode is None:
            raise self._failure or InvocationFailed("there is no answer")
        return self._mode

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer in pieces, as they arrive. Raises ``InvocationFailed`` if it breaks off."""
        while (piece := await self._pieces.get()) is not None:
            yield piece
            self._free.set()
        if self._failure is not None:
            raise self._failure

    def is_read(self) -> bool:
        """Whether the answer is complete, and the reader has all of it."""
        return self.answered and self._failure is None and self._pieces.qsize() == 1  # the end

    def abandon(self, failure: InvocationFailed | None = None) -> None:
        """Stop reading. The function runs to its end, and the rest of its answer is dropped.

        ``failure``: what is raised by whoever still waits for the answer.
        """
        self._abandoned = True
        self._free.set()
        if failure is not None and not self.answered:
            self._break_off(failure)

    def _break_off(self, failure: InvocationFailed) -> None:
        self._failure = failure
        self._begun.set()
        self._pieces.put_nowait(None)
