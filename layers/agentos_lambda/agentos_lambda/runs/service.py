"""What can be done with runs. The HTTP routes, the WebSocket and the worker all go through here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.description import describe, show
from agentos_lambda.runs.errors import CancelWins, Conflict, Fenced, NotFound, RunExists, StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.leases import LEASE
from agentos_lambda.runs.model import (
    Component,
    Ending,
    JsonObject,
    RunInput,
    RunOutput,
    RunRecord,
    RunStatus,
    Session,
    StoredRun,
)
from agentos_lambda.runs.ports import Engine, Store
from agentos_lambda.runs.terminal import cancel_reason

_RACES = 5
"""How many transitions of one run may overtake a cancel before it gives up. A run has fewer."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run that a caller asks for."""

    component: Component
    input: RunInput
    session_id: str | None = None
    user_id: str | None = None
    run_id: str | None = None
    stream: bool = False
    deadline: int | None = None
    """When the executing function will be timed out, less what it takes to end a run; None if never."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and what it left; no output while it has not ended."""

    record: RunRecord
    component: Component
    output: RunOutput | None

    def show(self) -> JsonObject:
        """The run as a caller sees it."""
        return show(self.record, self.component, self.output)


def new_id() -> str:
    """A fresh id for a run, a session or a token."""
    return str(uuid4())


class RunService:
    """Runs of all three kinds. Methods that are not coroutines block for the store and may be called in any thread."""

    def __init__(
        self,
        store: Store,
        engine: Callable[[], Engine],
        clock: Clock,
        *,
        new_id: Callable[[], str] = new_id,
    ) -> None:
        """``engine`` is called at the first run, and only then: an engine takes long to import."""
        self._store = store
        self._engine = engine
        self._clock = clock
        self._new_id = new_id

    async def execute(self, request: RunRequest) -> Execution:
        """Accept the run, straight to RUNNING, and execute it here.

        Raises ``NotFound`` for a session of another user, ``Conflict`` for a run id that is in use.
        """
        session = await asyncio.to_thread(self._session, request)
        record = self._new_record(request)
        try:
            record = await asyncio.to_thread(self._store.accept, record)
        except RunExists as taken:
            raise Conflict(f"Run {record.run_id} already exists") from taken
        execution = Execution(
            record,
            request.component,
            store=self._store,
            engine=self._engine,
            clock=self._clock,
            deadline=request.deadline,
            stream=request.stream,
        )
        execution.start(request.input, session)
        return execution

    def get(
        self, component: Component, run_id: str, *, session_id: str | None = None, user_id: str | None = None
    ) -> RunView:
        """The run, at any time of its life. Raises ``NotFound``, also for another component's, session's or user's."""
        record = self._find(component, run_id, user_id=user_id)
        if session_id not in (None, record.session_id):
            raise NotFound("Run not found")
        return RunView(record, component, self._store.output(record))

    def list(
        self, component: Component, session_id: str, *, user_id: str | None = None, status: RunStatus | None = None
    ) -> Sequence[StoredRun]:
        """The component's ended runs in the session, oldest first. Raises ``NotFound`` for an unknown session."""
        session = self._store.load(session_id, kind=component.kind, component_id=component.id, history=0)
        if session is None or (user_id is not None and _foreign(session.user_id, user_id)):
            raise NotFound("Session not found")
        runs = self._store.list_runs(session_id, kind=component.kind, component_id=component.id)
        if not runs and (session.kind, session.component_id) != (component.kind, component.id):
            raise NotFound("Session not found")
        return [run for run in runs if status in (None, run.status)]

    def cancel(self, component: Component, run_id: str) -> RunRecord:
        """Cancel the run, wherever it executes.

        A run that waits or is paused is CANCELLED at once; of one that is RUNNING the record tells that a cancel is
        requested, and it can not end in any other way any more; one that has ended stays as it is.
        """
        for _ in range(_RACES):
            record = self._find(component, run_id)
            if record.status is RunStatus.RUNNING:
                record = self._store.flag_cancel(run_id, now=self._clock.now())
            if record.status.final or (record.status is RunStatus.RUNNING and record.cancel_requested):
                return record
            try:
                return self._store.commit(self._cancelled_before_it_ran(record, component))
            except (Fenced, CancelWins):
                continue  # it was claimed, continued or ended in between
        raise StoreUnavailable("the run changes too quickly to be cancelled")

    def _session(self, request: RunRequest) -> Session | None:
        if request.session_id is None:
            return None
        component = request.component
        session = self._store.load(
            request.session_id, kind=component.kind, component_id=component.id, history=component.history_runs
        )
        if session is not None and _foreign(session.user_id, request.user_id):
            raise NotFound("Session not found")
        return session

    def _new_record(self, request: RunRequest) -> RunRecord:
        now, token = self._clock.now(), self._new_id()
        return RunRecord(
            run_id=request.run_id or self._new_id(),
            kind=request.component.kind,
            component_id=request.component.id,
            session_id=request.session_id or self._new_id(),
            user_id=request.user_id,
            status=RunStatus.RUNNING,
            accepted_at=now,
            token=token,
            attempt=1,
            executor=token,
            tries=1,
            lease_until=now + LEASE,
        )

    def _find(self, component: Component, run_id: str, *, user_id: str | None = None) -> RunRecord:
        record = self._store.get(run_id)
        if (
            record is None
            or (record.kind, record.component_id) != (component.kind, component.id)
            or (user_id is not None and _foreign(record.user_id, user_id))
        ):
            raise NotFound("Run not found")
        return record

    def _cancelled_before_it_ran(self, record: RunRecord, component: Component) -> Ending:
        paused = self._store.output(record) if record.status is RunStatus.PAUSED else None
        run = paused.run if paused is not None else describe(record, component)
        run = {**run, "status": RunStatus.CANCELLED.value}
        run.setdefault("content", cancel_reason(record.run_id))
        return Ending(
            before=record,
            status=RunStatus.CANCELLED,
            ended_at=self._clock.now(),
            token=self._new_id(),
            output=RunOutput(run, paused.members if paused is not None else ()),
        )


def _foreign(owner: str | None, caller: str | None) -> bool:
    """Whether something of this owner is hidden from this caller. What nobody owns is anybody's."""
    return owner is not None and owner != caller
