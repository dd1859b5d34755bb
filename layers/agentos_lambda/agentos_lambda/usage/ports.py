"""What the sums are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from agentos_lambda.runs.usage import Usage


@dataclass(frozen=True, slots=True)
class RunUsage:
    """What one run has used that has ended, or has paused."""

    account: str
    """``runs.usage.NOBODY`` if nobody has to answer for it."""
    usage: Usage


class UsageStore(Protocol):
    """May raise ``StoreUnavailable``."""

    def used_on(self, day: str, account: str | None) -> Iterable[RunUsage]:
        """What each run has used that was accepted on this day (``2026-11-26``, in UTC); only those of the account, if
        one is named. May miss what was committed just now. Runs of deleted sessions are among them."""
