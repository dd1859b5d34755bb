"""Begins attempts. Every way to start or to continue a run ends up here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.endings import EndingMaker
from agentos_lambda.runs.engine_ports import Engine, EngineRequest
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.fan_out import FanOut
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import RunQueue, Store
from agentos_lambda.runs.slices import Slicing
from agentos_lambda.runs.supervisor import AttemptSupervisor


class RunExecutor:
    """Begins attempts, and knows which of them have not ended."""

    def __init__(
        self,
        store: Store,
        engine: Callable[[], Engine],
        clock: Clock,
        *,
        recycle: Callable[[], None] = lambda: None,
        observer: Observer | None = None,
        fan_out: FanOut | None = None,
        supervisor: Callable[..., AttemptSupervisor] = AttemptSupervisor,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        queue: RunQueue | None = None,
        slicing: Slicing | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        """``engine`` is called when components are needed, and only then: an engine takes long to import.

        ``recycle`` is called when a run has ended, but some of its code cannot be stopped: this process should not be
        used again. ``fan_out`` sends streamed runs to their followers. ``supervisor`` makes the supervisor of an
        attempt. ``pause`` (seconds) is awaited between two tries to store an ending. ``slicing`` says when a run is
        handed over to the next worker, through ``queue``; without both, none ever is. ``limiter``: the intake's, for
        the places of runs that have ended.
        """
        self._context = ExecutionContext(
            store=store,
            engine=engine,
            clock=clock,
            endings=EndingMaker(clock, lambda: str(uuid4())),
            supervisor=supervisor,
            fan_out=fan_out,
            observer=observer or Unobserved(),
            recycle=recycle,
            pause=pause,
            queue=queue,
            slicing=slicing,
            limiter=limiter or Limiter(clock),
        )
        self._executions: set[Execution] = set()

    async def idle(self) -> None:
        """Wait until every attempt that was begun here has ended.

        An environment is frozen when it has answered: an attempt whose client has disconnected has to end before that.
        """
        while self._executions:
            await asyncio.wait([execution.task for execution in self._executions])

    def begin(
        self, record: RunRecord, name: str, request: EngineRequest, *, deadline: int | None, consumed: bool = True
    ) -> Execution:
        """Begin the attempt that ``record`` claims, of the component ``name``, in the running event loop.

        ``deadline`` is the time at which it has to come to its end. ``consumed``: the caller takes its events.
        """
        execution = Execution(record, name, request, self._context, deadline=deadline, consumed=consumed)
        self._executions.add(execution)
        execution.task.add_done_callback(lambda _: self._executions.discard(execution))
        return execution
