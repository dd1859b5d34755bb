"""Counters of callers with limits, in memory."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from agentos_lambda.runs.limits import Admission, Counter, Verdict, decide, freed, withdrawn


class MemoryCounters:
    """Implements ``runs.limits.Counters``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counters: dict[str, Counter] = {}

    def admit(self, counter_id: str, wanted: Admission) -> Verdict:
        with self._lock:
            self._counters[counter_id], verdict = decide(self.get(counter_id), wanted)
            return verdict

    def withdraw(self, counter_id: str, admitted: Admission) -> None:
        with self._lock:
            self._counters[counter_id] = withdrawn(self.get(counter_id), admitted)

    def keep(self, counter_id: str, token: str, *, until: int) -> None:
        with self._lock:
            there = self.get(counter_id)
            self._counters[counter_id] = replace(there, places={**there.places, token: until})

    def free(self, counter_id: str, token: str) -> None:
        with self._lock:
            self._counters[counter_id] = freed(self.get(counter_id), token)

    def get(self, counter_id: str) -> Counter:
        """The counter as it is."""
        return self._counters.get(counter_id, Counter())
