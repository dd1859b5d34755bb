"""Ends the runs that would never end: their executor has died, or no worker ever took them."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import EXECUTION_LOST, NEVER_CARRIED_ON, NEVER_STARTED, EndingMaker, commit_idle
from agentos_lambda.runs.errors import CancelWins, ClaimLost, Fenced, StoreUnavailable
from agentos_lambda.runs.left import left_by
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.resending import Resender
from agentos_lambda.runs.sending import send
from agentos_lambda.runs.timing import CLOCK_SKEW_MS, LEASE_MS, MAX_WAIT_MS

log = logging.getLogger(__name__)

MAX_DEATHS = 3
"""How often a durable run is carried on from the same checkpoint: what comes after it may be what kills."""

_DEATHS = "deaths"
"""How many executors have died since the work was stored, beside the work."""

THREADS = 8
"""Parts of what is due that are swept at the same time. A client of AWS keeps ten connections open."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, in runs."""

    lost: int = 0
    """Ended as ERROR because their executor had died."""
    revived: int = 0
    """Durable runs whose executor had died: handed over from their last checkpoint."""
    cancelled: int = 0
    """Ended as CANCELLED: their executor had died after their cancel was flagged."""
    never_started: int = 0
    """Ended as ERROR because no worker took them in time."""
    sent_again: int = 0
    """Sent to the queue once more."""
    expired: int = 0
    """Removed because they had expired."""
    failed: int = 0
    """Not handled this time, which is logged: the store failed, or what is stored cannot be read."""
    left: int = 0
    """Not reached in time."""


class Sweeper:
    """Sweeps may overlap: every step is a conditional write."""

    def __init__(
        self,
        store: Store,
        queue: RunQueue,
        catalog: Catalog,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        observer: Observer | None = None,
        shuffle: Callable[[list[str]], None] = random.shuffle,
        threads: int = THREADS,
        limiter: Limiter | None = None,
    ) -> None:
        """``shuffle`` puts run ids into a different order each time. ``limiter``: the intake's, for the places of runs
        that are ended here."""
        self._store = store
        self._queue = queue
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._endings = EndingMaker(clock, new_id)
        self._observer = observer or Unobserved()
        self._shuffle = shuffle
        self._threads = threads
        self._limiter = limiter or Limiter(clock)

    def sweep(self, *, until: int | None = None) -> Swept:
        """Check every run that is due, until the time ``until``.

        Raises ``StoreUnavailable`` if the ids of some of them cannot be read; all others have been checked then.
        """
        # A dead run is due up to a minute after its lease. So that it is not found a whole sweep later, this one looks
        # ahead by as much as it has to wait after a lease anyway. The leases of healthy runs are longer.
        parts = self._store.due(before=self._clock.now() + CLOCK_SKEW_MS)
        sweep_part = partial(self._sweep_part, resender=Resender(self._store, self._queue), until=until)
        with ThreadPoolExecutor(self._threads, thread_name_prefix="sweep") as pool:
            swept = [pool.submit(sweep_part, part) for part in parts]
        return Swept(**sum((part.result() for part in swept), Counter[str]()))

    def _sweep_part(self, part: Iterable[str], *, resender: Resender, until: int | None) -> Counter[str]:
        """How many runs came to each of the ends that ``Swept`` names."""
        done = Counter[str]()
        due = list(part)
        # If there are too many for one sweep, none may come after the same others each time.
        self._shuffle(due)
        for place, run_id in enumerate(due):
            if until is not None and self._clock.now() >= until:
                done["left"] = len(due) - place
                log.warning("the sweep has no time for all runs", extra={"left": done["left"]})
                self._observer.unswept(run_id)
                break
            try:
                what = self._sweep_one(run_id, resender)
            except (ClaimLost, Fenced):
                continue  # another write came first: the run is in good hands
            except Exception:  # the edge: one run must not keep the sweeper from the ones after it
                log.exception("the run could not be swept", extra={"run_id": run_id})
                self._observer.unswept(run_id)
                what = "failed"
            if what is not None:
                done[what] += 1
        return done

    def _sweep_one(self, run_id: str, resender: Resender) -> str | None:
        record, now = self._store.get(run_id), self._clock.now()
        if record is None:
            return "expired" if self._store.remove_expired(run_id) else None
        if record.status is RunStatus.RUNNING and record.lease_until is not None:
            expired_before = now - CLOCK_SKEW_MS
            if record.lease_until >= expired_before:
                return None
            return self._end_lost(record, now, expired_before, resender)
        if record.status is RunStatus.PENDING:
            if now - (record.queued_at or record.accepted_at) >= MAX_WAIT_MS:
                return self._end(record, NEVER_CARRIED_ON if record.slices else NEVER_STARTED, resender)
            return "sent_again" if resender.look_at(record, now) else None
        self._have_told(record, resender)
        return None

    def _have_told(self, record: RunRecord, resender: Resender) -> None:
        """Have a worker tell the followers of a run that has ended untold; if the queue does not answer, later."""
        if not (record.untold and resender.send(record.run_id)):
            return
        try:
            self._store.note_told(record)
        except StoreUnavailable:
            log.warning("the next sweep has the run's followers told again", extra={"run_id": record.run_id})

    def _end_lost(self, record: RunRecord, now: int, expired_before: int, resender: Resender) -> str:
        claimed = self._store.claim(
            record.run_id,
            executor=self._new_id(),
            lease_until=now + LEASE_MS,
            expired_before=expired_before,
        )
        log.warning("the run's executor has died", extra={"run_id": record.run_id, "attempt": record.attempt})
        if record.durable and self._revived(claimed):
            return "revived"
        return self._end(claimed, EXECUTION_LOST, resender)

    def _revived(self, record: RunRecord) -> bool:
        """Hand a durable run over from its last checkpoint. False if it has died too often since, or is cancelled."""
        work = self._store.work(record)
        deaths = work.get(_DEATHS, 0) if work else MAX_DEATHS
        if deaths >= MAX_DEATHS:
            return False
        self._limiter.keep(record)
        try:
            handed_over = self._store.commit(self._endings.revived(record, {**work, _DEATHS: deaths + 1}))
        except CancelWins:
            return False
        send(self._queue, self._store, handed_over)
        return True

    def _end(self, record: RunRecord, error: str | None, resender: Resender) -> str:
        """End the run as ERROR; as CANCELLED if ``error`` is None, or a cancel is flagged."""
        component = self._catalog.find(record.kind, record.component_id)
        name = component.name if component is not None else record.component_id
        # Its text may have been blocked just before the executor died, or not have been checked at all.
        withdrawn = record.status is RunStatus.RUNNING and component is not None and component.checked
        left = None if withdrawn else left_by(self._store, record)[0]
        ending = self._endings.abandoned(record, name, left, error=error, withdrawn=withdrawn)
        try:
            ended = commit_idle(self._store, ending)
        except CancelWins:
            return self._end(record, None, resender)
        self._limiter.free(ended)
        self._have_told(ended, resender)
        if error == EXECUTION_LOST:
            self._observer.lost(ended)
            return "lost"
        self._observer.ended(ended)
        return "cancelled" if error is None else "never_started"
