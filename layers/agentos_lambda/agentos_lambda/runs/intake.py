"""Where runs begin: accepted and executed here, or queued for a worker; new ones, and paused ones that go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.access import find_run, find_session
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.commands import ContinueRequest, RunRequest
from agentos_lambda.runs.errors import ClaimLost, Conflict, QueueFull, RunExists, StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.model import RunOutput, RunRecord
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.timing import LEASE
from agentos_lambda.runs.work_json import work_to_json

log = logging.getLogger(__name__)

_NOT_PAUSED = {
    RunStatus.PENDING: "run is already pending",
    RunStatus.RUNNING: "run is already running",
    RunStatus.COMPLETED: "run is already completed",
    RunStatus.CANCELLED: "run is cancelled",
    RunStatus.ERROR: "run has errored",
}


class RunIntake:
    """Accepts. What it has accepted ends in a state that anyone can read, whatever happens next."""

    def __init__(
        self,
        store: Store,
        queue: RunQueue,
        executor: RunExecutor,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        queue_limit: int | None = None,
    ) -> None:
        """``queue_limit``: how many runs may wait for a worker; None if any number may."""
        self._store = store
        self._queue = queue
        self._executor = executor
        self._clock = clock
        self._new_id = new_id
        self._queue_limit = queue_limit

    async def execute(self, request: RunRequest) -> Execution | RunRecord:
        """Accept the run, straight to RUNNING, and execute it here.

        Gives the record of the run that an earlier request with the same idempotency key has made, if there is one.
        Raises ``NotFound`` for a session of another user, ``Conflict`` for a run id or a key that is in use.
        """
        component, session = request.component, None
        if request.session_id is not None:
            session = await asyncio.to_thread(
                find_session,
                self._store,
                component,
                request.session_id,
                user_id=request.user_id,
                history=component.history_runs,
            )
        record = self._new_record(request)
        record = replace(
            record,
            status=RunStatus.RUNNING,
            attempt=1,
            executor=record.token,
            tries=1,
            lease_until=record.accepted_at + LEASE,
            logged=request.stream,
        )
        try:
            record = await asyncio.to_thread(self._store.accept, record)
        except RunExists as taken:
            return _same_request(taken, record)
        return self._executor.begin(
            record, component, request.input, session, stream=request.stream, deadline=request.deadline
        )

    def enqueue(self, request: RunRequest) -> RunRecord:
        """Accept the run as PENDING and have a worker execute it. Errors and repeated keys as with ``execute``.

        Raises ``QueueFull`` where too many wait already. A queue that does not answer is tried again by the sweeper.
        """
        try:
            self._check_queue()
        except QueueFull:
            there = self._accepted_before(request)
            if there is None:
                raise
            return there
        if request.session_id is not None:
            find_session(self._store, request.component, request.session_id, user_id=request.user_id, history=0)
        record = self._new_record(request)
        record = replace(record, queued_at=record.accepted_at, sends=1)
        try:
            record = self._store.accept(record, work=work_to_json(request.input))
        except RunExists as taken:
            return _same_request(taken, record)
        self._send(record)
        return record

    async def continue_here(self, request: ContinueRequest) -> Execution:
        """Let a paused run go on here. Of two who continue, one gets ``Conflict``.

        Raises ``NotFound``, ``Conflict`` for a run that is not paused, ``InvalidRequest`` for decisions that do not fit
        what the run waits for: the run then stays paused.
        """
        component = request.component
        record, paused = await asyncio.to_thread(self._check_continuation, request)
        session = await asyncio.to_thread(
            find_session,
            self._store,
            component,
            record.session_id,
            user_id=record.user_id,
            history=component.history_runs,
        )
        record = await asyncio.to_thread(self._reopen, record, here=True, logged=request.stream, work=None)
        return self._executor.begin(
            record,
            component,
            request.continuation,
            session,
            stream=request.stream,
            deadline=request.deadline,
            paused=paused,
        )

    def enqueue_continuation(self, request: ContinueRequest) -> RunRecord:
        """Have a worker let a paused run go on. Errors as with ``continue_here`` and ``enqueue``."""
        self._check_queue()
        record, _ = self._check_continuation(request)
        record = self._reopen(record, here=False, logged=True, work=work_to_json(request.continuation))
        self._send(record)
        return record

    def _new_record(self, request: RunRequest) -> RunRecord:
        return RunRecord(
            run_id=request.chosen_run_id() or self._new_id(),
            kind=request.component.kind,
            component_id=request.component.id,
            session_id=request.session_id or self._new_id(),
            user_id=request.user_id,
            status=RunStatus.PENDING,
            accepted_at=self._clock.now(),
            token=self._new_id(),
            request_hash=request.request_hash(),
        )

    def _check_queue(self) -> None:
        if self._queue_limit is not None and self._queue.depth() >= self._queue_limit:
            raise QueueFull("Too many runs are waiting")

    def _accepted_before(self, request: RunRequest) -> RunRecord | None:
        """The run of an earlier request that this one repeats by its key."""
        run_id, request_hash = request.chosen_run_id(), request.request_hash()
        if run_id is None or request_hash is None:
            return None
        there = self._store.get(run_id)
        return there if there is not None and there.request_hash == request_hash else None

    def _send(self, record: RunRecord) -> None:
        try:
            self._queue.send(record.run_id)
        except StoreUnavailable:
            log.warning("the queue is unavailable; the sweeper sends the run", extra={"run_id": record.run_id})

    def _check_continuation(self, request: ContinueRequest) -> tuple[RunRecord, RunOutput]:
        record = find_run(
            self._store, request.component, request.run_id, session_id=request.session_id, user_id=request.user_id
        )
        if record.status is not RunStatus.PAUSED:
            raise Conflict(_NOT_PAUSED[record.status])
        paused = self._store.output(record)
        if paused is None:
            raise Conflict("the run has left nothing to go on with")
        self._executor.engine().check(record.kind, paused, request.continuation)
        return record, paused

    def _reopen(self, record: RunRecord, *, here: bool, logged: bool, work: JsonObject | None) -> RunRecord:
        now = self._clock.now()
        try:
            return self._store.reopen(
                record,
                executor=self._new_id(),
                now=now,
                lease_until=now + LEASE if here else None,
                logged=record.logged or logged,
                work=work,
            )
        except ClaimLost as lost:
            status = lost.record.status if lost.record is not None else RunStatus.RUNNING
            raise Conflict(_NOT_PAUSED.get(status, "run was continued already")) from lost


def _same_request(taken: RunExists, ours: RunRecord) -> RunRecord:
    """The run of an earlier request that this one repeats. Raises ``Conflict`` if it is another request."""
    there = taken.record
    if there is None or there.request_hash is None or there.request_hash != ours.request_hash:
        raise Conflict(f"Run {ours.run_id} already exists") from taken
    return there
