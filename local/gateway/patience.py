"""How long API Gateway waits for a function."""

from __future__ import annotations

import asyncio

from local.functions.invocation import Invocation, InvocationFailed


class TookTooLong(InvocationFailed):
    """The function has not answered in time, or its answer was idle for too long."""


class Patience:
    """Abandons an invocation that takes too long: one timer for all waits, however many pieces its answer has."""

    def __init__(self, invocation: Invocation, *, seconds: float, idle_seconds: float) -> None:
        """``seconds``: until the head of the answer has to be there. ``idle_seconds``: until the next piece has to."""
        self._invocation = invocation
        self._idle_seconds = idle_seconds
        self._limit, self._failure = seconds, f"no answer within {seconds:g} seconds"
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = self._loop.time()
        self._timer = self._loop.call_later(min(seconds, idle_seconds), self._look)

    def has_head(self) -> None:
        """From now on only a wait for a piece is limited."""
        self._limit, self._failure = self._idle_seconds, f"the answer was idle for {self._idle_seconds:g} seconds"
        self._waits_since = None

    def wait(self) -> None:
        """A wait for a piece begins."""
        self._waits_since = self._loop.time()

    def go_on(self) -> None:
        """It has ended: the piece is passed on, for as long as that takes."""
        self._waits_since = None

    def end(self) -> None:
        """Nothing is awaited any more."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        since = now if self._waits_since is None else self._waits_since
        if self._waits_since is None or now < since + self._limit:
            self._timer = self._loop.call_at(since + self._limit, self._look)
        else:
            self._invocation.abandon(TookTooLong(self._failure))
