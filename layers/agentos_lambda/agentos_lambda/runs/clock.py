"""Time, handed in by the caller."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for the time of day, one for durations."""

    def now(self) -> int:
        """Milliseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""


class Stopwatch:
    """Measures from the moment it is made, by the clock that says that more time has passed: the time of day may have
    been set back, and the monotonic clock stands still while the machine is frozen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at = clock.now()
        self._started = clock.monotonic()

    def elapsed_ms(self) -> int:
        """Milliseconds."""
        return max(self._clock.now() - self._started_at, round((self._clock.monotonic() - self._started) * 1000))

    def now(self) -> int:
        """The time of day, as if the clock had not been set back since."""
        return self._started_at + self.elapsed_ms()


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
