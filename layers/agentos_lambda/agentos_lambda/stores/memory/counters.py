"""Counters of callers with limits, in memory."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from agentos_lambda.runs.limits import Admission, Counter, Verdict, decide


class MemoryCounters:
    """Implements ``runs.limits.Counters``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counters: dict[str, Counter] = {}

    def admit(self, counter_id: str, wanted: Admission) -> Verdict:
        with self._lock:
            self._counters[counter_id], verdict = decide(self.get(counter_id), wanted)
            return verdict

    def keep(self, counter_id: str, run_id: str, *, until: int) -> None:
        with self._lock:
            there = self.get(counter_id)
            self._counters[counter_id] = replace(there, places={**there.places, run_id: until})

    def free(self, counter_id: str, run_id: str, *, month: str | None = None) -> None:
        with self._lock:
            there = self.get(counter_id)
            places = {name: until for name, until in there.places.items() if name != run_id}
            self._counters[counter_id] = Counter(there.month, there.runs - (there.month == month), places)

    def get(self, counter_id: str) -> Counter:
        """The counter as it is."""
        return self._counters.get(counter_id, Counter())
