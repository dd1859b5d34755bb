"""Counts what becomes of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentos_lambda.runs.model import RunRecord


class Observer(Protocol):
    """Called once for each of these, in the process where it happens. Must neither fail nor take long."""

    def started(self, record: RunRecord) -> None:
        """An attempt has begun."""

    def first_event(self, record: RunRecord, *, after_ms: int) -> None:
        """The engine has given the attempt's first event, ``after_ms`` after it began."""

    def ended(self, record: RunRecord) -> None:
        """An ending was committed: COMPLETED, ERROR, CANCELLED or PAUSED."""

    def lost(self, record: RunRecord) -> None:
        """The run was ended because its executor had died."""

    def unswept(self, run_id: str) -> None:
        """A sweep could not handle the run: it stays as it is until one can."""


class Unobserved:
    """Counts nothing."""

    def started(self, record: RunRecord) -> None: ...

    def first_event(self, record: RunRecord, *, after_ms: int) -> None: ...

    def ended(self, record: RunRecord) -> None: ...

    def lost(self, record: RunRecord) -> None: ...

    def unswept(self, run_id: str) -> None: ...
