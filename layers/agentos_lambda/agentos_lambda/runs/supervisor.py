"""What looks after an attempt while the engine works: its lease, a cancel from elsewhere, its log, its deadline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import Enum, auto

from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.errors import Fenced, NotStorable, StoreUnavailable
from agentos_lambda.runs.log_buffer import LogBuffer
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.timing import LEASE, LOOK_EVERY, RENEW_EVERY

log = logging.getLogger(__name__)


class StopReason(Enum):
    """Why an attempt is told to stop before the engine has come to an end."""

    CANCELLED = auto()
    """A cancel is flagged in the record."""
    DEADLINE = auto()
    """The function is about to be timed out."""
    FENCED = auto()
    """Another executor or the sweeper has taken the run over."""


class Keeper:
    """Looks after one attempt from a thread of its own, so that a component that blocks the event loop does not make
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
    ) -> None:
        """``deadline``: the time at which the attempt has to come to its end. ``on_stop`` is called once, from the
        keeper's thread."""
        self._record = record
        self._store = store
        self._clock = clock
        self._buffer = log_buffer
        self._on_stop = on_stop
        now = clock.now()
        self._time = None if deadline is None else deadline - now
        self._kept = self._looked = self._renewed = Stopwatch(clock)
        self._lease = (self._kept, (record.lease_until or 0) - now)
        self._stop_reason: StopReason | None = None
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{record.run_id}", daemon=True)

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the attempt was told to stop; None while it was not."""
        return self._stop_reason

    def holds_lease(self) -> bool:
        """Whether the attempt is certain to be nobody else's."""
        since, length = self._lease
        return since.elapsed() < length and self._stop_reason is not StopReason.FENCED

    def start(self) -> None:
        """Begin to look after the attempt."""
        self._thread.start()

    def nudge(self) -> None:
        """Something may be due: look at once."""
        self._wake.set()

    def stop(self) -> None:
        """Return when the keeper writes nothing any more. Blocks for at most one request to the store."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def turn(self) -> None:
        """Do what is due now. A store that can not be reached is asked again at the next turn."""
        if self._time is not None and self._kept.elapsed() >= self._time:
            self._stop(StopReason.DEADLINE)
        try:
            # First the look: an attempt that slept through its lease learns so before it logs anything.
            self._look()
            if self._stop_reason is not StopReason.FENCED:
                self._write_log()
        except StoreUnavailable:
            log.warning("the store is unavailable; the run goes on", extra={"run_id": self._record.run_id})

    def _keep(self) -> None:
        while not self._ended:
            self._wake.wait(self._pause())
            self._wake.clear()
            if not self._ended:
                self.turn()

    def _pause(self) -> float:
        """Seconds until the next turn."""
        pause = LOOK_EVERY - self._looked.elapsed()
        if self._time is not None and self._stop_reason is None:
            pause = min(pause, self._time - self._kept.elapsed())
        return max(pause, 0) / 1000

    def _write_log(self) -> None:
        if self._buffer is None or not self._buffer.due():
            return
        pack = self._buffer.take()
        if pack is None:
            return
        try:
            self._store.append(self._record.run_id, self._record.attempt, pack)
        except StoreUnavailable:
            self._buffer.put_back(pack)
            raise
        except NotStorable:
            log.exception("events are not in the log", extra={"run_id": self._record.run_id})

    def _look(self) -> None:
        if self._looked.elapsed() < LOOK_EVERY:
            return
        self._looked = Stopwatch(self._clock)
        try:
            if self._renewed.elapsed() >= RENEW_EVERY:
                current = self._store.renew(self._record, lease_until=self._kept.now() + LEASE)
                self._renewed = self._looked
                self._lease = (self._renewed, LEASE)
            else:
                current = self._store.get(self._record.run_id) or self._record
        except Fenced:
            self._stop(StopReason.FENCED)
            return
        if current.attempt != self._record.attempt or not current.status.active:
            self._stop(StopReason.FENCED)
        elif current.cancel_requested:
            self._stop(StopReason.CANCELLED)

    def _stop(self, reason: StopReason) -> None:
        if self._stop_reason is None:
            self._stop_reason = reason
            self._on_stop(reason)
