"""Ends what nobody else will: runs whose executor died, and runs that no worker ever took."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import describe
from agentos_lambda.runs.endings import commit_idle_ending
from agentos_lambda.runs.errors import CancelWins, ClaimLost, Fenced, StoreUnavailable
from agentos_lambda.runs.model import Ending, EventPack, RunOutput, RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Catalog, RunQueue, Store
from agentos_lambda.runs.terminal import EXECUTION_LOST, NEVER_STARTED, cancel_reason, terminal_events
from agentos_lambda.runs.timing import CLOCK_SKEW, LEASE, RESEND_AFTER, UNLOGGED_AT_MOST, WAIT_AT_MOST

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
    """Could not be looked after this time, which is logged: the store failed, or what is stored can not be read."""
    left: int = 0
    """Not come to for lack of time."""


class Sweeper:
    """Sweeps. Two at once do each other no harm: every step is a conditional write."""

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
        """``shuffle`` brings run ids into an order that is another one each time."""
        self._store = store
        self._queue = queue
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._observer = observer or Unobserved()
        self._shuffle = shuffle

    def sweep(self, *, until: int | None = None) -> Swept:
        """Look at every run that is PENDING or RUNNING, until the time ``until``.

        Raises ``StoreUnavailable`` where those can not be listed.
        """
        swept = Swept()
        active = list(self._store.active(accepted_before=self._clock.now()))
        # Where there are too many for one sweep, none may stand behind the same others each time.
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
                continue  # somebody else was faster: the run is in good hands
            except Exception:  # the edge: one run must not keep the sweeper from all that come after it
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
            expired_before = now - CLOCK_SKEW
            return self._end_lost(record, now, expired_before) if record.lease_until < expired_before else None
        if record.status is RunStatus.PENDING:
            waits = now - (record.queued_at or record.accepted_at)
            if waits >= WAIT_AT_MOST:
                return self._end(record, RunStatus.ERROR, NEVER_STARTED)
            if waits >= RESEND_AFTER * 2 ** max(record.sends - 1, 0):
                return self._send_again(record)
        return None

    def _end_lost(self, record: RunRecord, now: int, expired_before: int) -> str | None:
        claimed = self._store.claim(
            record.run_id,
            executor=self._new_id(),
            lease_until=now + LEASE,
            expired_before=expired_before,
        )
        log.warning("the run's executor has died", extra={"run_id": record.run_id, "attempt": record.attempt})
        return self._end(claimed, RunStatus.ERROR, EXECUTION_LOST)

    def _end(self, record: RunRecord, status: RunStatus, error: str | None) -> str:
        component = self._catalog.find(record.kind, record.component_id)
        name = component.name if component is not None else record.component_id
        content = error if error is not None else cancel_reason(record.run_id)
        events = terminal_events(record, name, status, now=self._clock.now(), content=content, error=error)
        pack = EventPack(record.next_index + UNLOGGED_AT_MOST, events)
        left = self._store.output(record)
        run = {**(left.run if left is not None else describe(record, name)), "status": status.value, "content": content}
        ending = Ending(
            before=record,
            status=status,
            ended_at=self._clock.now(),
            token=self._new_id(),
            output=RunOutput(run, left.members if left is not None else ()),
            error=error,
            last_events=pack,
            sealed_at=pack.last_index,
        )
        try:
            ended = commit_idle_ending(self._store, ending)
        except CancelWins:
            return self._end(record, RunStatus.CANCELLED, None)
        self._have_it_told(record)
        if error == EXECUTION_LOST:
            self._observer.lost(ended)
            return "lost"
        self._observer.ended(ended)
        return "cancelled" if status is RunStatus.CANCELLED else "never_started"

    def _have_it_told(self, record: RunRecord) -> None:
        """Have a worker tell the end to those who follow the run live, as they can with a workflow's."""
        if record.kind is not Kind.WORKFLOW:
            return
        try:
            self._queue.send(record.run_id)
        except StoreUnavailable:
            log.warning("the queue is unavailable; followers are not told", extra={"run_id": record.run_id})

    def _send_again(self, record: RunRecord) -> str | None:
        noted = self._store.note_send(record)
        try:
            self._queue.send(noted.run_id)
        except StoreUnavailable:
            log.warning("the queue is unavailable", extra={"run_id": record.run_id})
            return None
        return "sent_again"
