"""Sums what runs have used, by day and account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agentos_lambda.identity.principal import Principal, PrincipalKind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.usage import NOBODY, NOTHING, Usage, day_of
from agentos_lambda.usage.ports import UsageStore

MAX_DAYS = 31
"""A month: its runs are read one by one."""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What an account has used on a day, or all of them on all days."""

    runs: int = 0
    usage: Usage = NOTHING

    def plus(self, usage: Usage, runs: int = 1) -> UsageSum:
        return UsageSum(self.runs + runs, self.usage.plus(usage))


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A line of the bill."""

    day: str
    account: str | None
    """None: nobody's."""
    used: UsageSum


@dataclass(frozen=True, slots=True)
class Period:
    """Days, the first and the last included."""

    first: date
    last: date

    def days(self) -> Iterable[str]:
        for number in range((self.last - self.first).days + 1):
            yield (self.first + timedelta(number)).isoformat()


class UsageService:
    """Sums are made when they are asked for: nothing but the runs' own records is written."""

    def __init__(self, store: UsageStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def period(self, first: date | None, last: date | None) -> Period:
        """Without a first day, it is that of the month of the last one; without a last one, it is today.

        Raises ``InvalidRequest``.
        """
        last = last or date.fromisoformat(day_of(self._clock.now()))
        first = first or last.replace(day=1)
        if not 0 <= (last - first).days < MAX_DAYS:
            raise InvalidRequest(f"`from` and `to` are at most {MAX_DAYS} days, and in their order")
        return Period(first, last)

    def lines(self, principal: Principal, period: Period, account: str | None) -> Sequence[UsageLine]:
        """By day, and then by account: the principal's own, or if it is an admin, this one or all."""
        wanted = account if _sees_all(principal) else principal.subject
        if wanted is None and not _sees_all(principal):
            return []
        return [line for day in period.days() for line in self._lines_of(day, wanted)]

    def _lines_of(self, day: str, account: str | None) -> Iterable[UsageLine]:
        sums: dict[str, UsageSum] = {}
        for run in self._store.used_on(day, account):
            sums[run.account] = sums.get(run.account, UsageSum()).plus(run.usage)
        for payer, used in sorted(sums.items()):
            yield UsageLine(day, None if payer == NOBODY else payer, used)


def total(lines: Iterable[UsageLine]) -> UsageSum:
    """All of them together."""
    whole = UsageSum()
    for line in lines:
        whole = whole.plus(line.used.usage, line.used.runs)
    return whole


def _sees_all(principal: Principal) -> bool:
    """A holder of the key, an admin, and everybody on an open API."""
    return principal.kind in (PrincipalKind.KEY, PrincipalKind.NOBODY) or principal.scopes.admin
