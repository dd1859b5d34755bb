"""Where runs begin or continue: executed here, or queued for a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.access import Caller, find_run, find_session, never
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.engine_ports import Engine, EngineRequest
from agentos_lambda.runs.errors import ClaimLost, Conflict, LimitReached, QueueFull, RunExists
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import RunOutput, RunRecord, Session
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.sending import send
from agentos_lambda.runs.timing import LEASE_MS, RESEND_AFTER_MS
from agentos_lambda.runs.work_json import work_to_json

_NOT_PAUSED = {
    RunStatus.PENDING: "run is already pending",
    RunStatus.RUNNING: "run is already running",
    RunStatus.COMPLETED: "run is already completed",
    RunStatus.CANCELLED: "run is cancelled",
    RunStatus.ERROR: "run has errored",
}


class RunIntake:
    """Accepts runs. Every accepted run ends in a state that anyone can read, whatever happens next."""

    def __init__(
        self,
        store: Store,
        queue: RunQueue,
        executor: RunExecutor,
        clock: Clock,
        *,
        engine: Callable[[], Engine],
        new_id: Callable[[], str],
        queue_limit: int | None = None,
        expired: Callable[[Session], bool] = never,
        limiter: Limiter | None = None,
    ) -> None:
        """``engine``: the executor's, for decisions about paused runs; called only for those. ``queue_limit``: how many
        runs may wait for a worker; None for any number. ``expired``: whether a session has expired, and is deleted by
        now. Without a ``limiter``, no caller with limits can run anything."""
        self._store = store
        self._queue = queue
        self._executor = executor
        self._clock = clock
        self._engine = engine
        self._new_id = new_id
        self._queue_limit = queue_limit
        self._expired = expired
        self._limiter = limiter or Limiter(clock)

    async def execute(self, command: StartRun) -> Execution | RunRecord:
        """Accept the run, straight to RUNNING, and execute it here.

        Gives the record of the run that an earlier command with the same idempotency key has started, if there is one.
        Raises ``NotFound`` for a session of another user, ``Conflict`` for a run id or a key that is in use, and
        ``LimitReached``.
        """
        component, session = command.component, None
        if command.session_id is not None:
            session = await asyncio.to_thread(
                find_session,
                self._store,
                component,
                command.session_id,
                caller=command.caller,
                history=component.history_for(command.work),
                gone=self._expired,
            )
        record = self._new_record(command)
        record = replace(
            record,
            status=RunStatus.RUNNING,
            attempt=1,
            executor=record.token,
            tries=1,
            lease_until=record.accepted_at + LEASE_MS,
            logged=command.stream or record.durable,
        )
        try:
            kept = work_to_json(command.work) if record.durable else None
            record = await asyncio.to_thread(self._accept, record, command, work=kept)
        except RunExists as taken:
            return _same_request(taken, command, record)
        request = EngineRequest.for_attempt(record, command.work, session, stream=command.stream)
        return self._executor.begin(record, component.name, request, deadline=command.deadline)

    def enqueue(self, command: StartRun) -> RunRecord:
        """Accept the run as PENDING and have a worker execute it. Errors and repeated keys as in ``execute``.

        Raises ``QueueFull`` if too many runs wait already. If the queue does not answer, the sweeper sends the run
        later.
        """
        try:
            self._check_queue()
        except QueueFull:
            earlier = self._accepted_before(command)
            if earlier is None:
                raise
            return earlier
        if command.session_id is not None:
            find_session(
                self._store,
                command.component,
                command.session_id,
                caller=command.caller,
                history=None,
                gone=self._expired,
            )
        record = self._new_record(command)
        queued_at = record.accepted_at
        record = replace(record, queued_at=queued_at, sends=1, next_send_at=queued_at + RESEND_AFTER_MS)
        try:
            record = self._accept(record, command, work=work_to_json(command.work))
        except RunExists as taken:
            return _same_request(taken, command, record)
        send(self._queue, self._store, record)
        return record

    async def continue_here(self, command: ContinueRun) -> Execution:
        """Continue a paused run here. Of two callers, one gets ``Conflict``.

        Raises ``NotFound``, ``Conflict`` for a run that is not paused, and ``InvalidRequest`` for decisions that do not
        fit what the run waits for: it then stays paused.
        """
        component = command.component
        record, paused = await asyncio.to_thread(self._check_continuation, command)
        session = await asyncio.to_thread(
            find_session,
            self._store,
            component,
            record.session_id,
            caller=Caller(record.user_id),
            history=component.history_runs,
        )
        kept = work_to_json(command.work) if record.durable else None
        record = await asyncio.to_thread(self._reopen, record, command, here=True, logged=command.stream, work=kept)
        request = EngineRequest.for_attempt(record, command.work, session, stream=command.stream, paused=paused)
        return self._executor.begin(record, component.name, request, deadline=command.deadline)

    def enqueue_continuation(self, command: ContinueRun) -> RunRecord:
        """Have a worker continue a paused run. Errors as in ``continue_here`` and ``enqueue``."""
        self._check_queue()
        record, _ = self._check_continuation(command)
        record = self._reopen(record, command, here=False, logged=True, work=work_to_json(command.work))
        send(self._queue, self._store, record)
        return record

    def _new_record(self, command: StartRun) -> RunRecord:
        return RunRecord(
            run_id=command.chosen_run_id() or self._new_id(),
            kind=command.component.kind,
            component_id=command.component.id,
            session_id=command.session_id or self._new_id(),
            user_id=command.user_id,
            status=RunStatus.PENDING,
            accepted_at=self._clock.now(),
            token=self._new_id(),
            request_hash=command.request_hash(),
            account=command.account,
            durable=command.component.durable,
        )

    def _check_queue(self) -> None:
        if self._queue_limit is not None and self._queue.depth() >= self._queue_limit:
            raise QueueFull("Too many runs are waiting")

    def _accepted_before(self, command: StartRun) -> RunRecord | None:
        """The run of an earlier command that this one repeats by its key."""
        run_id, request_hash = command.chosen_run_id(), command.request_hash()
        if run_id is None or request_hash is None:
            return None
        earlier = self._store.get(run_id)
        return earlier if earlier is not None and earlier.request_hash == request_hash else None

    def _check_continuation(self, command: ContinueRun) -> tuple[RunRecord, RunOutput]:
        record = find_run(
            self._store, command.component, command.run_id, session_id=command.session_id, caller=command.caller
        )
        if record.status is not RunStatus.PAUSED:
            raise Conflict(_NOT_PAUSED[record.shown_status])
        paused = self._store.output(record)
        if paused is None:
            raise Conflict("the run has left nothing to continue from")
        self._engine().check(record.kind, paused, command.work)
        return record, paused

    def _accept(self, record: RunRecord, command: StartRun, *, work: JsonObject | None = None) -> RunRecord:
        try:
            with self._limiter.admitted(record, command.limits) as admitted:
                return self._store.accept(admitted, work=work)
        except LimitReached:
            # A run that was accepted before needs no room.
            if (earlier := self._accepted_before(command)) is None:
                raise
            raise RunExists("The run id is in use.", earlier) from None

    def _reopen(
        self, record: RunRecord, command: ContinueRun, *, here: bool, logged: bool, work: JsonObject | None
    ) -> RunRecord:
        now = self._clock.now()
        try:
            with self._limiter.admitted_again(record, command.limits) as admitted:
                return self._store.reopen(
                    admitted,
                    executor=self._new_id(),
                    now=now,
                    lease_until=now + LEASE_MS if here else None,
                    logged=record.logged or logged,
                    work=work,
                )
        except ClaimLost as lost:
            status = lost.record.shown_status if lost.record is not None else RunStatus.RUNNING
            raise Conflict(_NOT_PAUSED.get(status, "run was continued already")) from lost


def _same_request(taken: RunExists, command: StartRun, ours: RunRecord) -> RunRecord:
    """The run of an earlier command that this one repeats. Raises ``Conflict`` if it is another command."""
    earlier = taken.record
    if earlier is None or earlier.request_hash is None or earlier.request_hash != ours.request_hash:
        by_key = command.run_id is None and command.idempotency_key is not None
        why = "The Idempotency-Key was used with another request" if by_key else f"Run {ours.run_id} already exists"
        raise Conflict(why) from taken
    return earlier
