"""Begins attempts. Every way to start or to continue a run ends up here."""

from __future__ import annotations

from collections.abc import Callable

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import Component, RunOutput, RunRecord, Session, Work
from agentos_lambda.runs.ports import Engine, Store


class RunExecutor:
    """What attempts are executed with."""

    def __init__(self, store: Store, engine: Callable[[], Engine], clock: Clock) -> None:
        """``engine`` is called at the first attempt, and only then: an engine takes long to import."""
        self._store = store
        self._engine = engine
        self._clock = clock

    def begin(
        self,
        record: RunRecord,
        component: Component,
        work: Work,
        session: Session | None,
        *,
        stream: bool,
        deadline: int | None,
        paused: RunOutput | None = None,
    ) -> Execution:
        """Begin the attempt that ``record`` claims, in the running event loop. ``stream``: it gives and logs events.

        ``deadline`` is the time at which it has to come to its end. ``paused`` is what a continued run left.
        """
        execution = Execution(
            record,
            component,
            store=self._store,
            engine=self._engine,
            clock=self._clock,
            deadline=deadline,
            stream=stream,
        )
        execution.start(work, session, paused)
        return execution
