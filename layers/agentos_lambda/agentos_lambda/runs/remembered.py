"""A value from outside that is read seldom, and refused when it is too old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.errors import StoreUnavailable

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a value may be, and how often it is read. Milliseconds."""

    fresh_ms: int
    """After this time it is read again. If that fails, it still counts."""
    max_age_ms: int
    """A value that was read longer ago does not count any more."""
    reread_interval_ms: int
    """While a value is known, it is read at most this often, whatever callers want and whether the source answers."""
    unknown_interval_ms: int
    """The same while no value is known."""


class Remembered(Generic[V]):
    """Reads a value and remembers it for a while. Thread-safe: callers that come meanwhile wait for the reader."""

    def __init__(self, read: Callable[[], V | None], clock: Clock, freshness: Freshness) -> None:
        """``read`` raises ``StoreUnavailable`` if there is no answer; it logs why. None is an answer, too."""
        self._read_source = read
        self._clock = clock
        self._freshness = freshness
        self._value: V | None = None
        self._since_read: Stopwatch | None = None
        self._since_try: Stopwatch | None = None
        self._lock = threading.Lock()

    def value(self) -> V | None:
        """The value; None if it is unknown, or was read too long ago."""
        with self._lock:
            if self._known() is None or self._age_ms() >= self._freshness.fresh_ms:
                self._read()
            return self._known()

    def fresh(self) -> V | None:
        """The value, if it is known and need not be read again. Never blocks."""
        return self._value if self._age_ms() < self._freshness.fresh_ms else None

    def reread(self) -> V | None:
        """The value, read again, unless it was just now."""
        with self._lock:
            self._read()
            return self._known()

    def _known(self) -> V | None:
        return self._value if self._age_ms() < self._freshness.max_age_ms else None

    def _age_ms(self) -> int:
        return self._since_read.elapsed_ms() if self._since_read is not None else self._freshness.max_age_ms

    def _read(self) -> None:
        freshness = self._freshness
        interval = freshness.unknown_interval_ms if self._known() is None else freshness.reread_interval_ms
        if self._since_try is not None and self._since_try.elapsed_ms() < interval:
            return
        self._since_try = begun = Stopwatch(self._clock)
        try:
            self._value = self._read_source()
        except StoreUnavailable:
            return
        self._since_read = begun
