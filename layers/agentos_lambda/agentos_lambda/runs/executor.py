"""Begins attempts. Every way to start or to continue a run ends up here."""

from __future__ import annotations

import asyncio

from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.model import RunRecord


class RunExecutor:
    """Begins attempts, and knows which of them have not ended."""

    def __init__(self, context: ExecutionContext) -> None:
        self._context = context
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
