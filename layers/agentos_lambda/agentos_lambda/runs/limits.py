"""How much a caller may run: runs in a month, and runs at once.

A counter is kept for each caller that has a limit, in as many shards as its limit allows. A shard admits its share of
the limit, so all together never admit more. A place among the runs at once is a lease: a crash gives it back.

Every admission leaves its token in the counter, as the place of its run, or as a receipt if it needs no place. So it
counts once, and is withdrawn once, where the answer of a write is lost and the write is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Protocol

PLACE_MS = 960_000
"""How long a place is kept for a run that nobody executes, or whose executor has died: a function's 15 minutes, and a
minute more."""
RECEIPT_MS = 60_000
"""How long a receipt is of use: a write is repeated for some seconds only."""
MAX_RECEIPTS = 16
"""In a shard, which is then still written for one write unit. Room is made by half of them, the oldest."""

_MOST = {"runs_per_month": 10**9, "runs_at_once": 5_000}
_PLACES_IN_A_SHARD = 25
_MAX_SHARDS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller may run. None: any number."""

    runs_per_month: int | None = None
    runs_at_once: int | None = None

    @property
    def shards(self) -> int:
        """A shard with few places is a small item, which is cheap to write."""
        return min(_MAX_SHARDS, -(-(self.runs_at_once or 1) // _PLACES_IN_A_SHARD))

    def of_shard(self, shard: int) -> Limits:
        """What this shard may admit."""
        return Limits(*(_share(limit, shard, self.shards) for limit in (self.runs_per_month, self.runs_at_once)))


def limits_of(value: Any) -> Limits | None:
    """The limits in ``{"runs_per_month": 1000, "runs_at_once": 5}``, or in a part of it. Raises ``ValueError``."""
    if not isinstance(value, dict) or not value.keys() <= _MOST.keys():
        raise ValueError(f"an object with {' and '.join(_MOST)}")
    for name, limit in value.items():
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        if limit is not None and not (is_number and 0 < limit <= _MOST[name]):
            raise ValueError(f"numbers from 1: {name} to {_MOST[name]}")
    limits = Limits(**value)
    return None if limits == Limits() else limits


@dataclass(frozen=True, slots=True)
class Counter:
    """A shard of a caller's counter."""

    month: str = ""
    runs: int = 0
    """That were accepted in this month."""
    places: Mapping[str, int] = field(default_factory=dict)
    """Token -> the end of its lease, in milliseconds since the epoch."""
    receipts: Mapping[str, int] = field(default_factory=dict)
    """Token -> how long it is kept, in the same way."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A run that wants to be admitted by a shard."""

    token: str
    """The record's. Another request for a run of the same id has another one."""
    limits: Limits
    """Those of the shard."""
    now: int
    counts: bool = True
    """Whether it is one of the month's runs: not if it goes on after a pause."""

    @property
    def month(self) -> str:
        return month_of(self.now)

    @property
    def takes_place(self) -> bool:
        """Whether its token is kept as a place; if not, as a receipt."""
        return self.limits.runs_at_once is not None

    @property
    def until(self) -> int:
        """How long its token is kept, if nobody keeps it for longer."""
        return self.now + (PLACE_MS if self.takes_place else RECEIPT_MS)

    @property
    def room(self) -> int:
        """How many tokens there may be in the same shard."""
        return MAX_RECEIPTS if self.limits.runs_at_once is None else self.limits.runs_at_once


class Verdict(StrEnum):
    """What becomes of an admission."""

    ADMITTED = "admitted"
    ALREADY = "already admitted"
    """The counter has its token: the answer was lost, or a run that goes on has its place still."""
    RUNS_PER_MONTH = "runs_per_month"
    """This limit refuses it: as callers know it."""
    RUNS_AT_ONCE = "runs_at_once"


def decide(counter: Counter, wanted: Admission) -> tuple[Counter, Verdict]:
    """The counter once the run is admitted; or as it is.

    A clock that is behind does not take it back into the month before, whose runs are forgotten.
    """
    places, receipts = _valid(counter.places, wanted.now), _valid(counter.receipts, wanted.now)
    if wanted.token in (places if wanted.takes_place else receipts):
        return counter, Verdict.ALREADY
    month = max(counter.month, wanted.month)
    runs, most = counter.runs if counter.month == month else 0, wanted.limits.runs_per_month
    if wanted.counts and most is not None and runs >= most:
        return counter, Verdict.RUNS_PER_MONTH
    if wanted.takes_place:
        if len(places) >= wanted.room:
            return counter, Verdict.RUNS_AT_ONCE
        places[wanted.token] = wanted.until
    else:
        if len(receipts) >= wanted.room:
            receipts = dict(sorted(receipts.items(), key=itemgetter(1))[wanted.room // 2 :])
        receipts[wanted.token] = wanted.until
    return Counter(month, runs + wanted.counts, places, receipts), Verdict.ADMITTED


def withdrawn(counter: Counter, admitted: Admission) -> Counter:
    """The counter as if the run had not been admitted; or as it is, if it has no token of it."""
    if admitted.token not in (counter.places if admitted.takes_place else counter.receipts):
        return counter
    runs = counter.runs - (admitted.counts and counter.month == admitted.month)
    places, receipts = _without(counter.places, admitted.token), _without(counter.receipts, admitted.token)
    return replace(counter, runs=runs, places=places, receipts=receipts)


def freed(counter: Counter, token: str) -> Counter:
    """The counter without this place."""
    return replace(counter, places=_without(counter.places, token))


class Counters(Protocol):
    """The counters of all callers. Every method may be repeated, and may raise ``StoreUnavailable``."""

    def admit(self, counter_id: str, wanted: Admission) -> Verdict:
        """Admit the run as ``decide`` says: one conditional write in most cases."""

    def withdraw(self, counter_id: str, admitted: Admission) -> None:
        """Undo the admission as ``withdrawn`` says."""

    def keep(self, counter_id: str, token: str, *, until: int) -> None:
        """Keep the place until then, also if it was lost meanwhile."""

    def free(self, counter_id: str, token: str) -> None:
        """Give the place back, if there is one."""


def month_of(time: int) -> str:
    """The month of a time in milliseconds since the epoch, such as ``2026-11``, in UTC."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m")


def _valid(tokens: Mapping[str, int], now: int) -> dict[str, int]:
    return {token: until for token, until in tokens.items() if until > now}


def _without(tokens: Mapping[str, int], token: str) -> dict[str, int]:
    return {other: until for other, until in tokens.items() if other != token}


def _share(limit: int | None, shard: int, shards: int) -> int | None:
    """A shard's part of a limit: all parts are the limit."""
    return None if limit is None else limit // shards + (shard < limit % shards)
