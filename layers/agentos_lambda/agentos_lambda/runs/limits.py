"""How much a caller may run: runs in a month, and runs at once.

A counter is kept for each caller that has a limit, in as many shards as its limit allows. A shard admits its share of
the limit, so all together never admit more. A place among the runs at once is a lease: a crash gives it back.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import LimitReached, StoreUnavailable

if TYPE_CHECKING:
    from agentos_lambda.runs.model import RunRecord

log = logging.getLogger(__name__)

PLACE_MS = 960_000
"""How long a place is kept for a run that nobody executes, or whose executor has died: a function's 15 minutes, and a
minute more."""
RETRY_AFTER_SECONDS = 5
"""When a place may be free: runs end all the time."""

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
    """Run id -> the end of its lease, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A run that wants to be admitted by a shard."""

    run_id: str
    limits: Limits
    """Those of the shard."""
    now: int
    counts: bool = True
    """Whether it is one of the month's runs: not if it goes on after a pause."""

    @property
    def month(self) -> str:
        return month_of(self.now)

    @property
    def until(self) -> int:
        """How long its place is kept, if nobody keeps it for longer."""
        return self.now + PLACE_MS


class Verdict(StrEnum):
    """What becomes of an admission."""

    ADMITTED = "admitted"
    ALREADY = "already admitted"
    """The run has its place, and was counted with it."""
    RUNS_PER_MONTH = "runs_per_month"
    """This limit refuses it: as callers know it."""
    RUNS_AT_ONCE = "runs_at_once"


_REFUSED = (Verdict.RUNS_PER_MONTH, Verdict.RUNS_AT_ONCE)


def decide(counter: Counter, wanted: Admission) -> tuple[Counter, Verdict]:
    """The counter once the run is admitted; or as it is."""
    limits = wanted.limits
    if wanted.run_id in counter.places:
        return counter, Verdict.ALREADY
    runs = counter.runs if counter.month == wanted.month else 0
    if wanted.counts and limits.runs_per_month is not None and runs >= limits.runs_per_month:
        return counter, Verdict.RUNS_PER_MONTH
    places = {run_id: until for run_id, until in counter.places.items() if until > wanted.now}
    if limits.runs_at_once is not None:
        if len(places) >= limits.runs_at_once:
            return counter, Verdict.RUNS_AT_ONCE
        places[wanted.run_id] = wanted.until
    return Counter(wanted.month, runs + wanted.counts, places), Verdict.ADMITTED


class Counters(Protocol):
    """The counters of all callers. Every method may raise ``StoreUnavailable``."""

    def admit(self, counter_id: str, wanted: Admission) -> Verdict:
        """Admit the run as ``decide`` says: one conditional write in most cases."""

    def keep(self, counter_id: str, run_id: str, *, until: int) -> None:
        """Keep the place of the run until then, also if it was lost meanwhile."""

    def free(self, counter_id: str, run_id: str, *, month: str | None = None) -> None:
        """Give the place of the run back, if it has one; with a ``month``, it is none of its runs either."""


class Limiter:
    """Admits runs. Asks nothing of anybody for callers without limits."""

    def __init__(self, clock: Clock, counters: Counters | None = None) -> None:
        """Without ``counters``, no caller with limits can run anything."""
        self._clock = clock
        self._counters = counters

    @contextmanager
    def admitted(self, record: RunRecord, limits: Limits | None) -> Iterator[RunRecord]:
        """Admit a new run, whose record it gives with its place. If the block fails, it was never admitted.

        Raises ``LimitReached``.
        """
        if limits is None:
            yield record
            return
        shard, verdict = self._admit(record, limits, counts=True)
        try:
            yield replace(record, place=shard) if limits.runs_at_once is not None else record
        except BaseException:
            if verdict is Verdict.ADMITTED:
                self._free(_counter_id(record, shard), record.run_id, month_of(record.accepted_at))
            raise

    @contextmanager
    def admitted_again(self, record: RunRecord, limits: Limits | None) -> Iterator[RunRecord]:
        """Admit a run that goes on after a pause, whose record it gives with its place. Errors as in ``admitted``."""
        if limits is None or limits.runs_at_once is None:
            yield record
            return
        shard, verdict = self._admit(record, limits, counts=False)
        try:
            yield replace(record, place=shard)
        except BaseException:
            if verdict is Verdict.ADMITTED:
                self._free(_counter_id(record, shard), record.run_id, None)
            raise

    def keep(self, record: RunRecord) -> None:
        """An executor has taken the run, or hands it over: its place is kept from now on, as that of a new run."""
        if record.place is None or self._counters is None:
            return
        try:
            until = self._clock.now() + PLACE_MS
            self._counters.keep(_counter_id(record, record.place), record.run_id, until=until)
        except StoreUnavailable:
            log.warning("the run may lose its place among those at once", extra={"run_id": record.run_id})

    def free(self, record: RunRecord) -> None:
        """The run has ended, or it has paused."""
        if record.place is not None and self._counters is not None:
            self._free(_counter_id(record, record.place), record.run_id, None)

    def _admit(self, record: RunRecord, limits: Limits, *, counts: bool) -> tuple[int, Verdict]:
        """The shard that has admitted it: where it had its place, else that of its id, or the next one that can.

        Raises ``LimitReached``.
        """
        first = zlib.crc32(record.run_id.encode()) if record.place is None else record.place
        refusals = set()
        for number in range(limits.shards):
            shard = (first + number) % limits.shards
            wanted = Admission(record.run_id, limits.of_shard(shard), self._clock.now(), counts)
            verdict = self._all_counters().admit(_counter_id(record, shard), wanted)
            if verdict not in _REFUSED:
                return shard, verdict
            refusals.add(verdict)
        # A shard without a place may have one soon, whatever those say that have no run of the month left.
        at_once = Verdict.RUNS_AT_ONCE in refusals
        raise _reached(Verdict.RUNS_AT_ONCE if at_once else Verdict.RUNS_PER_MONTH, limits, self._clock.now())

    def _free(self, counter_id: str, run_id: str, month: str | None) -> None:
        try:
            self._all_counters().free(counter_id, run_id, month=month)
        except StoreUnavailable:
            log.warning("the place of the run is free only later", extra={"run_id": run_id})

    def _all_counters(self) -> Counters:
        if self._counters is None:
            raise StoreUnavailable("limits cannot be counted")
        return self._counters


def month_of(time: int) -> str:
    """The month of a time in milliseconds since the epoch, such as ``2026-11``, in UTC."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m")


def _share(limit: int | None, shard: int, shards: int) -> int | None:
    """A shard's part of a limit: all parts are the limit."""
    return None if limit is None else limit // shards + (shard < limit % shards)


def _counter_id(record: RunRecord, shard: int) -> str:
    return f"{record.payer}#{shard}"


def _reached(verdict: Verdict, limits: Limits, now: int) -> LimitReached:
    at_once = verdict is Verdict.RUNS_AT_ONCE
    limit = limits.runs_at_once if at_once else limits.runs_per_month
    retry_after = RETRY_AFTER_SECONDS if at_once else _seconds_to_next_month(now)
    return LimitReached(f"The limit {verdict} of {limit} is reached", retry_after_seconds=retry_after)


def _seconds_to_next_month(now: int) -> int:
    time = datetime.fromtimestamp(now / 1000, UTC)
    year, month = divmod(time.year * 12 + time.month, 12)
    return int((datetime(year, month + 1, 1, tzinfo=UTC) - time).total_seconds()) + 1
