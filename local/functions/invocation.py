"""One invocation of a function: an event on its way in, an answer on its way out."""

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
    """There is no answer, or no more of it."""


class InvocationTimedOut(InvocationFailed):
    """The function took longer than it may."""


@dataclass(eq=False)
class Invocation:
    """The answer is a pipe: each ``write`` returns when the reader has passed its bytes on."""

    event: bytes
    timeout: float
    """Seconds that the function has."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline_ms: int = 0
    """Milliseconds since the epoch; known when the invocation begins."""

    def __post_init__(self) -> None:
        self._mode: asyncio.Future[ResponseMode] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._failure: InvocationFailed | None = None
        self._abandoned = False
        self.answered = False
        """Nothing more will come."""

    def begin(self) -> None:
        """The function has the event now: its time runs."""
        self.deadline_ms = int((time.time() + self.timeout) * 1000)

    def start_answer(self, mode: ResponseMode) -> None:
        if not self._mode.done():
            self._mode.set_result(mode)

    async def write(self, piece: bytes) -> None:
        """Bytes of the answer, for the reader to take."""
        if self._abandoned or self.answered:
            return
        self._taken.clear()
        self._pieces.put_nowait(piece)
        await self._taken.wait()

    def finish(self) -> None:
        """The answer is whole."""
        if not self.answered:
            self.answered = True
            self._pieces.put_nowait(None)

    def fail(self, failure: InvocationFailed) -> None:
        """There is no answer, or no more of it. The first failure counts."""
        if self.answered:
            return
        self._failure = failure
        if not self._mode.done():
            self._mode.set_exception(failure)
            self._mode.exception()  # nobody has to wait for it
        self.finish()

    async def mode(self) -> ResponseMode:
        """How the function answers, once it does. Raises ``InvocationFailed``."""
        return await asyncio.shield(self._mode)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer as it comes. Raises ``InvocationFailed`` if it breaks off."""
        while (piece := await self._pieces.get()) is not None:
            yield piece
            self._taken.set()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Nobody reads any more: the function runs to its end without a reader."""
        self._abandoned = True
        self._taken.set()
