"""Supervises an attempt while the engine works: its lease, a cancel from elsewhere, its log, its deadline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto

from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.errors import Fenced, NotStorable, StoreUnavailable
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.timing import LEASE_MS, POLL_INTERVAL_MS, RENEWAL_INTERVAL_MS
from agentos_lambda.runs.usage import Usage

log = logging.getLogger(__name__)


class StopReason(Enum):
    """Why an attempt is stopped before the engine has come to its end."""

    CANCELLED = auto()
    """A cancel is flagged in the record."""
    DEADLINE = auto()
    """The function is about to be timed out."""
    FENCED = auto()
    """Another executor or the sweeper has taken over the run."""


class AttemptSupervisor:
    """Supervises one attempt from a thread of its own, so that a component that blocks the event loop does not make
    a healthy run look dead, uncancellable or unlogged."""

    def __init__(
        self,
        record: RunRecord,
        store: Store,
        clock: Clock,
        *,
        log_buffer: LogBuffer | None,
        deadline: int | None,
        on_stop: Callable[[StopReason], None],
        used: Callable[[], Usage],
        hand_over_at: int | None = None,
        on_hand_over: Callable[[], None] = lambda: None,
    ) -> None:
        """``deadline``: the time at which the attempt has to come to its end. ``hand_over_at``: from when on somebody
        else should carry the run on. ``on_stop`` and ``on_hand_over`` are called once each, and ``used``, which gives
        what the run has used so far, with each renewal: all from the supervisor's thread."""
        self._record = record
        self._store = store
        self._clock = clock
        self._buffer = log_buffer
        self._on_stop = on_stop
        self._on_hand_over = on_hand_over
        self._used = used
        now = clock.now()
        self._time_left_ms = None if deadline is None else deadline - now
        self._slice_left_ms = None if hand_over_at is None else hand_over_at - now
        self._since_start = self._since_poll = self._since_renewal = Stopwatch(clock)
        self._lease = (self._since_start, (record.lease_until or 0) - now)
        self._stop_reason: StopReason | None = None
        self._ended = False
        self._wake = threading.Event()
        self._ticking = threading.Lock()
        self._flushing = threading.Lock()
        self._thread = threading.Thread(target=self._supervise, name=f"supervisor-{record.run_id}", daemon=True)

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the attempt was stopped; None if it was not."""
        return self._stop_reason

    def holds_lease(self) -> bool:
        """Whether it is certain that no other executor has the run."""
        since, length_ms = self._lease
        return since.elapsed_ms() < length_ms and self._stop_reason is not StopReason.FENCED

    def start(self) -> None:
        """Begin to supervise the attempt."""
        self._thread.start()

    def wake(self) -> None:
        """Something may be due: tick at once."""
        self._wake.set()

    def stop(self) -> None:
        """Return when the supervisor writes nothing any more. Blocks for at most one request to the store."""
        self._ended = True
        self._wake.set()
        with self._ticking:  # whoever has it later sees that this is the end
            pass

    def try_stop(self) -> bool:
        """Stop without blocking. False if the supervisor may write yet: ``stop`` waits for the end of that."""
        self._ended = True
        self._wake.set()
        return not self._ticking.locked()

    def tick(self) -> None:
        """Do what is due now. A store that cannot be reached is asked again at the next tick."""
        if self._slice_left_ms is not None and self._since_start.elapsed_ms() >= self._slice_left_ms:
            self._slice_left_ms = None
            self._on_hand_over()
        if self._time_left_ms is not None and self._since_start.elapsed_ms() >= self._time_left_ms:
            self._stop_attempt(StopReason.DEADLINE)
        try:
            # The record first: an attempt that slept through its lease learns so before it logs anything.
            self._poll_record()
            if self._stop_reason is not StopReason.FENCED and self._buffer is not None and self._buffer.due():
                self.flush()
        except StoreUnavailable:
            log.warning("the store is unavailable; the run continues", extra={"run_id": self._record.run_id})

    def _supervise(self) -> None:
        while not self._ended:
            self._wake.wait(self._seconds_to_next_tick())
            self._wake.clear()
            with self._ticking:
                if not self._ended:
                    self.tick()

    def _seconds_to_next_tick(self) -> float:
        pause_ms = POLL_INTERVAL_MS - self._since_poll.elapsed_ms()
        for left_ms in (self._time_left_ms, self._slice_left_ms):
            if left_ms is not None and self._stop_reason is None:
                pause_ms = min(pause_ms, left_ms - self._since_start.elapsed_ms())
        return max(pause_ms, 0) / 1000

    def flush(self) -> None:
        """Log all that there is. Raises ``StoreUnavailable``. May be called from any thread."""
        if self._buffer is None:
            return
        # A pack that could not be written is put back: none may have been taken after it.
        with self._flushing:
            pack = self._buffer.take()
            if pack is None:
                return
            try:
                self._store.append(self._record.run_id, self._record.attempt, pack)
            except StoreUnavailable:
                self._buffer.put_back(pack)
                raise
            except NotStorable:
                log.exception("events are missing in the log", extra={"run_id": self._record.run_id})

    def _poll_record(self) -> None:
        if self._since_poll.elapsed_ms() < POLL_INTERVAL_MS:
            return
        self._since_poll = Stopwatch(self._clock)
        try:
            if self._since_renewal.elapsed_ms() >= RENEWAL_INTERVAL_MS:
                so_far = replace(self._record, usage=self._used())
                current = self._store.renew(so_far, lease_until=self._since_start.now() + LEASE_MS)
                self._since_renewal = self._since_poll
                self._lease = (self._since_renewal, LEASE_MS)
            else:
                current = self._store.get(self._record.run_id) or self._record
        except Fenced:
            self._stop_attempt(StopReason.FENCED)
            return
        if not current.is_attempt_of(self._record) or not current.status.active:
            self._stop_attempt(StopReason.FENCED)
        elif current.cancel_requested:
            self._stop_attempt(StopReason.CANCELLED)

    def _stop_attempt(self, reason: StopReason) -> None:
        if self._stop_reason is None:
            self._stop_reason = reason
            self._on_stop(reason)
