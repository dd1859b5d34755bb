"""A run's events in a process that does not execute it: read from the log as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import Store

FIRST_PAUSE_SECONDS = 0.1
"""Between two snapshots of a log in which something happens."""

MAX_PAUSE_SECONDS = 1.0
"""Between two snapshots of a log in which nothing happens: a pack is written about once a second at most."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run at one moment."""

    record: RunRecord
    events: tuple[IndexedEvent, ...]
    """Those that are new since the snapshot before."""

    def known_events(self, *, after: int) -> int:
        """How many events there are up to the last known one: of the new ones, else the client's, which is ``after``.

        A client may name an index that no event has.
        """
        if self.events:
            return self.events[-1].index + 1
        return after + 1 if self.record.status.active else min(after + 1, self.record.next_index)


def take_snapshot(store: Store, run_id: str, *, after: int) -> Snapshot | None:
    """The run with its events over the index ``after``; None if there is no such run."""
    # The record first: if the run has ended by then, the log that is read afterwards is complete.
    record = store.get(run_id)
    if record is None:
        return None
    return Snapshot(record, tuple(store.read(record, after=after)))


async def tail(
    store: Store,
    clock: Clock,
    run_id: str,
    *,
    after: int,
    until: int | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Snapshot]:
    """Snapshots of the run until it has ended or paused, or until the time ``until``.

    Every event over the index ``after`` comes once and in order. The last snapshot's record says why it is the last.
    """
    seconds = FIRST_PAUSE_SECONDS
    while True:
        snapshot = await asyncio.to_thread(take_snapshot, store, run_id, after=after)
        if snapshot is None:
            return
        yield snapshot
        if not snapshot.record.status.active or (until is not None and clock.now() >= until):
            return
        if snapshot.events:
            after, seconds = snapshot.events[-1].index, FIRST_PAUSE_SECONDS
        await pause(seconds)
        seconds = min(seconds * 2, MAX_PAUSE_SECONDS)
