"""A run's events for somebody who does not execute it: from the log, in any process, as long as it lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.ports import Store

FIRST_PAUSE = 0.1
"""Seconds between two looks at a log in which something happens."""

LONGEST_PAUSE = 1.0
"""Seconds between two looks at a log in which nothing happens: a pack is written at most about once a second."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a run has found."""

    record: RunRecord
    events: tuple[IndexedEvent, ...]
    """Those that are new since the last look."""


def known_events(record: RunRecord, new: Sequence[IndexedEvent], *, after: int) -> int:
    """How many events there are up to the last that is known: of those ``new``, else of the one that a client has.

    A client may name an index that no event has.
    """
    if new:
        return new[-1].index + 1
    return after + 1 if record.status.active else min(after + 1, record.next_index)


async def follow(
    store: Store,
    clock: Clock,
    run_id: str,
    *,
    after: int,
    until: int | None = None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Look]:
    """Look at the run until it waits for nothing any more (ended or paused), or until the time ``until``.

    Every event over ``after`` comes once and in order. The last look's record tells why it is the last.
    """
    seconds = FIRST_PAUSE
    while True:
        look = await asyncio.to_thread(_look, store, run_id, after)
        if look is None:
            return
        yield look
        if not look.record.status.active or (until is not None and clock.now() >= until):
            return
        if look.events:
            after, seconds = look.events[-1].index, FIRST_PAUSE
        await pause(seconds)
        seconds = min(seconds * 2, LONGEST_PAUSE)


def _look(store: Store, run_id: str, after: int) -> Look | None:
    # The record first: if it has ended by then, the log that is read after it holds everything.
    record = store.get(run_id)
    if record is None:
        return None
    return Look(record, tuple(store.read(record, after=after)))
