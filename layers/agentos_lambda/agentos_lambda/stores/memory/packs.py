"""The packs of events of a store in memory, under its lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import EventPack


@dataclass(frozen=True, slots=True)
class _StoredPack:
    events: str
    length: int
    expires_at: int


class Packs:
    """Packs by run, and by attempt and first index."""

    def __init__(self, clock: Clock, *, ttl_seconds: int) -> None:
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._packs: dict[str, dict[tuple[int, int], _StoredPack]] = {}

    def put(self, run_id: str, attempt: int, pack: EventPack, events: str) -> None:
        """Store the pack; ``events`` are its events as JSON."""
        stored = _StoredPack(events, len(pack.events), self._seconds() + self._ttl_seconds)
        self._packs.setdefault(run_id, {})[attempt, pack.first_index] = stored

    def length(self, run_id: str, attempt: int, first_index: int) -> int | None:
        """How many events the pack with this first index has; None if there is no such pack."""
        there = self._packs.get(run_id, {}).get((attempt, first_index))
        return None if there is None else there.length

    def of_run(self, run_id: str) -> Iterator[tuple[int, EventPack]]:
        """(attempt, pack) in their order, without what has expired."""
        now = self._seconds()
        for (attempt, first_index), stored in sorted(self._packs.get(run_id, {}).items()):
            if now < stored.expires_at:
                yield attempt, EventPack(first_index, tuple(json.loads(stored.events)))

    def last_index(self, run_id: str, attempt: int) -> int | None:
        """The last index of an attempt, expired or not; None if it has no events."""
        ends = [
            first_index + stored.length - 1
            for (its_attempt, first_index), stored in self._packs.get(run_id, {}).items()
            if its_attempt == attempt
        ]
        return max(ends, default=None)

    def remove(self, run_id: str) -> None:
        """Forget the run's packs."""
        self._packs.pop(run_id, None)

    def _seconds(self) -> int:
        return self._clock.now() // 1000
