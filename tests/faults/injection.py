"""What goes wrong between an actor and its store: faults at chosen calls of a client."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any


class Fault(Enum):
    """What happens to one call."""

    FAILS = auto()
    """Nothing is applied, and the caller hears of it."""
    LATE = auto()
    """The caller hears that it failed. It is applied later, after other calls."""
    ANSWER_LOST = auto()
    """It is applied, and the caller hears that it failed."""
    TWICE = auto()
    """It is applied, its answer is lost, and the client sends it again by itself."""


class Injector:
    """Stands around the clients of one store, and counts their calls."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        """``error`` makes the error that the caller of a failed call gets."""
        self.calls: list[str] = []
        self._error = error
        self._armed: list[tuple[int, Fault]] = []
        self._late: list[Callable[[], object]] = []

    def arm(self, fault: Fault, *, after: int = 0) -> None:
        """Let the call after the next ``after`` ones meet the fault."""
        self._armed.append((len(self.calls) + after, fault))

    def disarm(self) -> None:
        self._armed.clear()

    def apply_late(self) -> None:
        """Let what was held back arrive now."""
        while self._late:
            with suppress(Exception):  # nobody waits for its answer any more
                self._late.pop(0)()

    def around(self, client: Any) -> Any:
        """The client, with this injector before it."""
        return _Disturbed(client, self)

    def call(self, name: str, request: Callable[[], Any]) -> Any:
        place = len(self.calls)
        self.calls.append(name)
        match next((fault for armed, fault in self._armed if armed == place), None):
            case None:
                return request()
            case Fault.TWICE:
                request()
                return request()
            case Fault.ANSWER_LOST:
                request()
            case Fault.LATE:
                self._late.append(request)
        raise self._error()


class _Disturbed:
    def __init__(self, client: Any, injector: Injector) -> None:
        self._client = client
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._injector.call(name, lambda: method(*args, **kwargs))

        return call
