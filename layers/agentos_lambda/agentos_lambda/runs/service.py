"""What can be done with runs that have been accepted: read them, follow them, cancel them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.access import find_run, hidden
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import describe, show
from agentos_lambda.runs.endings import commit_idle_ending
from agentos_lambda.runs.errors import CancelWins, Fenced, NotFound, StoreUnavailable
from agentos_lambda.runs.model import Component, Ending, EventPack, RunOutput, RunRecord, StoredRun
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.tail import Look, follow
from agentos_lambda.runs.terminal import cancel_reason, terminal_events

_RACES = 5
"""How many transitions of one run may overtake a cancel before it gives up. A run has fewer."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and what it left; no output while it has not ended."""

    record: RunRecord
    component: Component
    output: RunOutput | None

    def show(self) -> JsonObject:
        """The run as a caller sees it."""
        return show(self.record, self.component.name, self.output)


class RunService:
    """Runs of all three kinds. Methods block for the store and may be called in any thread."""

    def __init__(
        self, store: Store, clock: Clock, *, new_id: Callable[[], str], observer: Observer | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._observer = observer or Unobserved()

    def get(
        self, component: Component, run_id: str, *, session_id: str | None = None, user_id: str | None = None
    ) -> RunView:
        """The run, at any time of its life. Raises ``NotFound``, also for another component's, session's or user's."""
        record = find_run(self._store, component, run_id, session_id=session_id, user_id=user_id)
        return self.view(record, component)

    def view(self, record: RunRecord, component: Component) -> RunView:
        """The run of this record with what it left."""
        return RunView(record, component, self._store.output(record))

    def list(
        self, component: Component, session_id: str, *, user_id: str | None = None, status: RunStatus | None = None
    ) -> Sequence[StoredRun]:
        """The component's ended runs in the session, oldest first. Raises ``NotFound`` for an unknown session."""
        session = self._store.load(session_id, kind=component.kind, component_id=component.id, history=0)
        if session is None or (user_id is not None and hidden(session.user_id, user_id)):
            raise NotFound("Session not found")
        runs = self._store.list_runs(session_id, kind=component.kind, component_id=component.id)
        if not runs and (session.kind, session.component_id) != (component.kind, component.id):
            raise NotFound("Session not found")
        return [run for run in runs if status in (None, run.status)]

    def follow(self, run_id: str, *, after: int, until: int | None = None) -> AsyncIterator[Look]:
        """The run's events over the index ``after`` from the log, until it has ended or paused, or until ``until``."""
        return follow(self._store, self._clock, run_id, after=after, until=until)

    def cancel(self, component: Component, run_id: str) -> RunRecord:
        """Cancel the run, wherever it executes.

        A run that waits or is paused is CANCELLED at once; of one that is RUNNING the record tells that a cancel is
        requested, and it can not end in any other way any more; one that has ended stays as it is.
        """
        for _ in range(_RACES):
            record = find_run(self._store, component, run_id)
            if record.status is RunStatus.RUNNING:
                record = self._store.flag_cancel(run_id, now=self._clock.now())
            if record.status.final or (record.status is RunStatus.RUNNING and record.cancel_requested):
                return record
            try:
                ended = commit_idle_ending(self._store, self._cancelled_at_rest(record, component))
            except (Fenced, CancelWins):
                continue  # it was claimed, continued or ended in between
            self._observer.ended(ended)
            return ended
        raise StoreUnavailable("the run changes too quickly to be cancelled")

    def _cancelled_at_rest(self, record: RunRecord, component: Component) -> Ending:
        """The ending of a run that nobody executes: it waits for a worker, or for its caller."""
        now = self._clock.now()
        left = self._store.output(record)
        run = left.run if left is not None else describe(record, component.name)
        run = {"content": cancel_reason(record.run_id), **run, "status": RunStatus.CANCELLED.value}
        events = terminal_events(record, component.name, RunStatus.CANCELLED, now=now, content=None)
        last_events = EventPack(record.next_index, events)
        return Ending(
            before=record,
            status=RunStatus.CANCELLED,
            ended_at=now,
            token=self._new_id(),
            output=RunOutput(run, left.members if left is not None else ()),
            last_events=last_events,
            sealed_at=last_events.last_index,
        )
