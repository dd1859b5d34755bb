"""How long API Gateway waits for a function."""

from __future__ import annotations

import asyncio

from local.functions.invocation import Invocation, InvocationFailed


class TookTooLong(InvocationFailed):
    """The function has not answered in time, or its answer was idle for too long."""


class Patience:
    """Abandons an invocation that takes too long: one timer for all waits, however many pieces its answer has."""

    def __init__(self, invocation: Invocation, seconds: float) -> None:
        """``seconds``: until the head of the answer has to be there."""
        self._invocation = invocation
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = None
        failure = TookTooLong(f"no answer within {seconds:g} seconds")
        self._timer = self._loop.call_later(seconds, invocation.abandon, failure)

    def allow(self, idle_seconds: float) -> None:
        """From now on only a wait for a piece is limited."""
        self.end()
        self._look_at(self._loop.time() + idle_seconds, idle_seconds)

    def wait(self) -> None:
        """A wait for a piece begins."""
        self._waits_since = self._loop.time()

    def go_on(self) -> None:
        """It has ended: the piece is passed on, for as long as that takes."""
        self._waits_since = None

    def end(self) -> None:
        """Nothing is awaited any more."""
        self._timer.cancel()

    def _look_at(self, when: float, idle_seconds: float) -> None:
        self._timer = self._loop.call_at(when, self._look, idle_seconds)

    def _look(self, idle_seconds: float) -> None:
        now = self._loop.time()
        if self._waits_since is None:
            self._look_at(now + idle_seconds, idle_seconds)
        elif now < self._waits_since + idle_seconds:
            self._look_at(self._waits_since + idle_seconds, idle_seconds)
        else:
            self._invocation.abandon(TookTooLong(f"the answer was idle for {idle_seconds:g} seconds"))
