"""Ends the runs that would never end: their executor has died, or no worker ever took them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import EXECUTION_LOST, NEVER_STARTED, EndingMaker, commit_idle
from agentos_lambda.runs.errors import CancelWins, ClaimLost, Fenced, StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Catalog, RunQueue, Store
from agentos_lambda.runs.timing import CLOCK_SKEW_MS, LEASE_MS, MAX_WAIT_MS, RESEND_AFTER_MS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, in runs."""

    lost: int = 0
    """Ended as ERROR because their executor had died."""
    cancelled: int = 0
    """Ended as CANCELLED: their executor had died after their cancel was flagged."""
    never_started: int = 0
    """Ended as ERROR because no worker took them in time."""
    sent_again: int = 0
    """Sent to the queue once more."""
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
    ) -> None:
        """``shuffle`` puts run ids into a different order each time."""
        self._store = store
        self._queue = queue
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._endings = EndingMaker(clock, new_id)
        self._observer = observer or Unobserved()
        self._shuffle = shuffle

    def sweep(self, *, until: int | None = None) -> Swept:
        """Check every run that is PENDING or RUNNING, until the time ``until``.

        Raises ``StoreUnavailable`` if those runs cannot be listed.
        """
        swept = Swept()
        active = list(self._store.active(accepted_before=self._clock.now()))
        # If there are too many for one sweep, none may come after the same others each time.
        self._shuffle(active)
        for place, run_id in enumerate(active):
            if until is not None and self._clock.now() >= until:
                swept = replace(swept, left=len(active) - place)
                log.warning("the sweep has no time for all runs", extra={"left": swept.left})
                self._observer.unswept(run_id)
                break
            try:
                done = self._sweep_one(run_id)
            except (ClaimLost, Fenced):
                continue  # another write came first: the run is in good hands
            except Exception:  # the edge: one run must not keep the sweeper from the ones after it
                log.exception("the run could not be swept", extra={"run_id": run_id})
                self._observer.unswept(run_id)
                done = "failed"
            if done is not None:
                swept = replace(swept, **{done: getattr(swept, done) + 1})
        return swept

    def _sweep_one(self, run_id: str) -> str | None:
        record, now = self._store.get(run_id), self._clock.now()
        if record is None:
            return None
        if record.status is RunStatus.RUNNING and record.lease_until is not None:
            expired_before = now - CLOCK_SKEW_MS
            return self._end_lost(record, now, expired_before) if record.lease_until < expired_before else None
        if record.status is RunStatus.PENDING:
            waited_ms = now - (record.queued_at or record.accepted_at)
            if waited_ms >= MAX_WAIT_MS:
                return self._end(record, NEVER_STARTED)
            if waited_ms >= RESEND_AFTER_MS * 2 ** max(record.sends - 1, 0):
                return self._send_again(record)
        return None

    def _end_lost(self, record: RunRecord, now: int, expired_before: int) -> str:
        claimed = self._store.claim(
            record.run_id,
            executor=self._new_id(),
            lease_until=now + LEASE_MS,
            expired_before=expired_before,
        )
        log.warning("the run's executor has died", extra={"run_id": record.run_id, "attempt": record.attempt})
        return self._end(claimed, EXECUTION_LOST)

    def _end(self, record: RunRecord, error: str | None) -> str:
        """End the run as ERROR; as CANCELLED if ``error`` is None, or a cancel is flagged."""
        component = self._catalog.find(record.kind, record.component_id)
        name = component.name if component is not None else record.component_id
        ending = self._endings.abandoned(record, name, self._store.output(record), error=error)
        try:
            ended = commit_idle(self._store, ending)
        except CancelWins:
            return self._end(record, None)
        self._notify_followers(record)
        if error == EXECUTION_LOST:
            self._observer.lost(ended)
            return "lost"
        self._observer.ended(ended)
        return "cancelled" if error is None else "never_started"

    def _notify_followers(self, record: RunRecord) -> None:
        """Notify the followers of the run (by a worker). Only a workflow's run has any."""
        if record.kind is not Kind.WORKFLOW:
            return
        try:
            self._queue.send(record.run_id)
        except StoreUnavailable:
            log.warning("the queue is unavailable; followers are not notified", extra={"run_id": record.run_id})

    def _send_again(self, record: RunRecord) -> str | None:
        noted = self._store.note_send(record)
        try:
            self._queue.send(noted.run_id)
        except StoreUnavailable:
            log.warning("the queue is unavailable", extra={"run_id": record.run_id})
            return None
        return "sent_again"
