"""Who is told what becomes of runs, to count them."""

from __future__ import annotations

from typing import Protocol

from agentos_lambda.runs.model import RunRecord


class Observer(Protocol):
    """Is told once of each of these, in the process where it happens. Must neither fail nor take long."""

    def started(self, record: RunRecord) -> None:
        """An attempt has begun."""

    def first_event(self, record: RunRecord, *, after: int) -> None:
        """The engine has given the attempt's first event, so many milliseconds after it began."""

    def ended(self, record: RunRecord) -> None:
        """An ending was committed: COMPLETED, ERROR, CANCELLED or PAUSED."""

    def lost(self, record: RunRecord) -> None:
        """The run was ended because its executor had died."""

    def unswept(self, run_id: str) -> None:
        """A sweep could not look after the run: it stays as it is until one can."""


class Unobserved:
    """Nobody is told."""

    def started(self, record: RunRecord) -> None: ...

    def first_event(self, record: RunRecord, *, after: int) -> None: ...

    def ended(self, record: RunRecord) -> None: ...

    def lost(self, record: RunRecord) -> None: ...

    def unswept(self, run_id: str) -> None: ...
