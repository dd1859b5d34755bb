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
    """The answer is a pipe: each ``write`` returns once the reader has passed its bytes on."""

    event: bytes
    timeout_seconds: float
    """How long the function has."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    """Milliseconds since the epoch. Set when the invocation begins."""

    def __post_init__(self) -> None:
        self._mode: asyncio.Future[ResponseMode] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._failure: InvocationFailed | None = None
        self._abandoned = False
        self.answered = False
        """The answer is complete, or has failed."""

    def begin(self) -> None:
        """The function has received the event, and its time runs."""
        self.deadline_ms = int((time.time() + self.timeout_seconds) * 1000)

    def start_answer(self, mode: ResponseMode) -> None:
        """The function has begun to answer."""
        if not self._mode.done():
            self._mode.set_result(mode)

    async def write(self, piece: bytes) -> None:
        """Give the reader bytes of the answer, and wait until it has passed them on."""
        if self._abandoned or self.answered:
            return
        self._taken.clear()
        self._pieces.put_nowait(piece)
        await self._taken.wait()

    def finish(self) -> None:
        """The answer is complete."""
        if not self.answered:
            self.answered = True
            self._pieces.put_nowait(None)

    def fail(self, failure: InvocationFailed) -> None:
        """There is no answer, or the answer broke off. The first failure counts."""
        if self.answered:
            return
        self._failure = failure
        if not self._mode.done():
            self._mode.set_exception(failure)
            self._mode.exception()  # otherwise asyncio warns if it is never awaited
        self.finish()

    async def mode(self) -> ResponseMode:
        """How the function answers, once it has begun to. Raises ``InvocationFailed``."""
        return await asyncio.shield(self._mode)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer in pieces, as they arrive. Raises ``InvocationFailed`` if it breaks off."""
        while (piece := await self._pieces.get()) is not None:
            yield piece
            self._taken.set()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Stop reading. The function runs to its end, and the rest of its answer is dropped."""
        self._abandoned = True
        self._taken.set()
