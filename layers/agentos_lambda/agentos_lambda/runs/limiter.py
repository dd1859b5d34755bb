"""Admits the runs of callers with limits, and gives their places back."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import LimitReached, StoreUnavailable
from agentos_lambda.runs.limits import PLACE_MS, Admission, Counters, Limits, Verdict
from agentos_lambda.runs.model import RunRecord

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
"""When a place may be free: runs end all the time."""

_REFUSED = (Verdict.RUNS_PER_MONTH, Verdict.RUNS_AT_ONCE)


class Limiter:
    """Admits runs. Asks nothing of anybody for callers without limits."""

    def __init__(self, clock: Clock, counters: Counters | None = None) -> None:
        """Without ``counters``, no caller with limits can run anything."""
        self._clock = clock
        self._counters = counters

    @contextmanager
    def admitted(self, record: RunRecord, limits: Limits | None) -> Iterator[RunRecord]:
        """Admit a new run, whose record it gives with its place. If the block fails, it was never admitted; but if it
        raises ``StoreUnavailable``, the run may have been accepted, and nothing is given back before its time.

        Raises ``LimitReached``.
        """
        if limits is None:
            yield record
            return
        shard, admission, _ = self._admit(record, limits, counts=True)
        try:
            yield replace(record, place=shard) if admission.takes_place else record
        except StoreUnavailable:
            raise
        except BaseException:
            # Nobody else has its token: if that was there already, this admission's answer was lost.
            self._withdraw(record, shard, admission)
            raise

    @contextmanager
    def admitted_again(self, record: RunRecord, limits: Limits | None) -> Iterator[RunRecord]:
        """Admit a run that goes on after a pause, whose record it gives with its place. Errors as in ``admitted``."""
        if limits is None or limits.runs_at_once is None:
            yield record
            return
        shard, admission, verdict = self._admit(record, limits, counts=False)
        placed = replace(record, place=shard)
        if verdict is Verdict.ALREADY:
            self.keep(placed)  # it was not given back at the pause, and may end before the run does
        try:
            yield placed
        except StoreUnavailable:
            raise
        except BaseException:
            # A place that was there already may be another continuation's, which has gone on with the run.
            if verdict is Verdict.ADMITTED:
                self._withdraw(record, shard, admission)
            raise

    def keep(self, record: RunRecord) -> None:
        """An executor has taken the run, or hands it over: its place is kept from now on, as that of a new run."""
        if record.place is None or self._counters is None:
            return
        try:
            until = self._clock.now() + PLACE_MS
            self._counters.keep(_counter_id(record, record.place), record.token, until=until)
        except StoreUnavailable:
            log.warning("the run may lose its place among those at once", extra={"run_id": record.run_id})

    def free(self, record: RunRecord) -> None:
        """The run has ended, or it has paused."""
        if record.place is None or self._counters is None:
            return
        with _later(record):
            self._counters.free(_counter_id(record, record.place), record.token)

    def _admit(self, record: RunRecord, limits: Limits, *, counts: bool) -> tuple[int, Admission, Verdict]:
        """The shard that has admitted it: where it had its place, else that of its id, or the next one that can.

        Raises ``LimitReached``.
        """
        first = zlib.crc32(record.run_id.encode()) if record.place is None else record.place
        refusals = set()
        for number in range(limits.shards):
            shard = (first + number) % limits.shards
            wanted = Admission(record.token, limits.of_shard(shard), self._clock.now(), counts)
            verdict = self._all_counters().admit(_counter_id(record, shard), wanted)
            if verdict not in _REFUSED:
                return shard, wanted, verdict
            refusals.add(verdict)
        # A shard without a place may have one soon, whatever those say that have no run of the month left.
        at_once = Verdict.RUNS_AT_ONCE in refusals
        raise _reached(Verdict.RUNS_AT_ONCE if at_once else Verdict.RUNS_PER_MONTH, limits, self._clock.now())

    def _withdraw(self, record: RunRecord, shard: int, admission: Admission) -> None:
        with _later(record):
            self._all_counters().withdraw(_counter_id(record, shard), admission)

    def _all_counters(self) -> Counters:
        if self._counters is None:
            raise StoreUnavailable("limits cannot be counted")
        return self._counters


@contextmanager
def _later(record: RunRecord) -> Iterator[None]:
    """A place that cannot be given back now is free when its lease ends."""
    try:
        yield
    except StoreUnavailable:
        log.warning("the place of the run is free only later", extra={"run_id": record.run_id})


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
