"""What can be done with accepted runs: read them, follow them, cancel them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.access import ANYBODY, Caller, find_run
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import show
from agentos_lambda.runs.endings import EndingMaker, commit_idle
from agentos_lambda.runs.errors import CancelWins, Fenced, NotFound, StoreUnavailable
from agentos_lambda.runs.left import left_by
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import RunOutput, RunRecord, StoredRun
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.tail import Snapshot, tail

_MAX_RACES = 5
"""How many transitions of one run may overtake a cancel before it gives up. A run has fewer."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and what it left; no output before it has ended or paused."""

    record: RunRecord
    component: Component
    output: RunOutput | None

    def show(self) -> JsonObject:
        """The run as a caller sees it."""
        return show(self.record, self.component.name, self.output)


class RunService:
    """Runs of all three kinds. Methods block for the store and may be called in any thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        observer: Observer | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        """``limiter``: the intake's, for the places of runs that are cancelled before a worker takes them."""
        self._store = store
        self._clock = clock
        self._endings = EndingMaker(clock, new_id)
        self._observer = observer or Unobserved()
        self._limiter = limiter or Limiter(clock)

    def get(
        self, component: Component, run_id: str, *, session_id: str | None = None, caller: Caller = ANYBODY
    ) -> RunView:
        """The run, at any time of its life. Raises ``NotFound``, also for another component's, session's or user's."""
        return self.view(self.find(component, run_id, session_id=session_id, caller=caller), component)

    def find(
        self, component: Component, run_id: str, *, session_id: str | None = None, caller: Caller = ANYBODY
    ) -> RunRecord:
        """Its record alone. Raises ``NotFound`` as ``get`` does."""
        return find_run(self._store, component, run_id, session_id=session_id, caller=caller)

    def view(self, record: RunRecord, component: Component) -> RunView:
        """The run of this record with what it left."""
        return RunView(record, component, self._store.output(record))

    def list(
        self,
        component: Component,
        session_id: str,
        *,
        caller: Caller = ANYBODY,
        status: RunStatus | None = None,
        skip: int = 0,
    ) -> Iterator[StoredRun]:
        """The component's ended runs in the session, oldest first, without the first ``skip`` of them; read while they
        are iterated over. Raises ``NotFound`` for a session that is unknown or not the caller's."""
        session = self._store.load(session_id, kind=component.kind, component_id=component.id, history=None)
        if session is None or session.expired(self._clock.now()) or not caller.may_read(session.user_id):
            raise NotFound("Session not found")
        runs = partial(
            self._store.list_runs,
            session_id,
            kind=component.kind,
            component_id=component.id,
            after=session.deleted_at,
        )
        if (session.kind, session.component_id) != (component.kind, component.id) and next(runs(), None) is None:
            raise NotFound("Session not found")
        return runs(status=status, user_id=caller.user_id, skip=skip)

    def tail(self, run_id: str, *, after: int, until: int | None = None) -> AsyncIterator[Snapshot]:
        """Snapshots of the run with its events over the index ``after``, as ``tail.tail`` gives them."""
        return tail(self._store, self._clock, run_id, after=after, until=until)

    def cancel(
        self, component: Component, run_id: str, *, session_id: str | None = None, caller: Caller = ANYBODY
    ) -> RunRecord:
        """Cancel the run, wherever it executes. Raises ``NotFound`` as ``get`` does.

        A run that waits, also between two slices, or is paused is CANCELLED at once. The record of a RUNNING one gets
        the cancel's flag, and the run can no longer end in any other way. A run that has ended stays as it is.
        """
        find = partial(find_run, self._store, component, run_id, session_id=session_id, caller=caller)
        return self.cancel_found(find, component.name)

    def cancel_found(self, find: Callable[[], RunRecord], name: str) -> RunRecord:
        """Cancel the run that ``find`` reads, of the component ``name``."""
        for _ in range(_MAX_RACES):
            record = find()
            if record.status is RunStatus.RUNNING:
                record = self._store.flag_cancel(record, now=self._clock.now())
            if record.status.final or (record.status is RunStatus.RUNNING and record.cancel_requested):
                return record
            if record.status is RunStatus.RUNNING:
                continue  # it has paused and was continued in between
            output, session = left_by(self._store, record)
            ending = self._endings.cancelled_at_rest(record, name, output, session=session)
            try:
                ended = commit_idle(self._store, ending)
            except (Fenced, CancelWins):
                continue  # it was claimed, continued or ended in between
            self._observer.ended(ended)
            self._limiter.free(ended)
            return ended
        raise StoreUnavailable("the run changes too quickly to be cancelled")
