"""Begins attempts. Every way to start or to continue a run ends up here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import Component, RunOutput, RunRecord, Session, Work
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Engine, FanOut, Store


class RunExecutor:
    """What attempts are executed with."""

    def __init__(
        self,
        store: Store,
        engine: Callable[[], Engine],
        clock: Clock,
        *,
        retire: Callable[[], None] = lambda: None,
        observer: Observer | None = None,
        fan_out: FanOut | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``engine`` is called when components are needed, and only then: an engine takes long to import.

        ``retire`` is called when a run has ended, but some of its code can not be stopped: this process should take no
        further work. ``fan_out`` tells streamed runs to whoever follows them live. ``pause`` (seconds) is awaited
        between two tries to store an ending.
        """
        self.engine = engine
        self._store = store
        self._clock = clock
        self._retire = retire
        self._observer = observer or Unobserved()
        self._fan_out = fan_out
        self._pause = pause
        self._executions: set[Execution] = set()

    async def idle(self) -> None:
        """Wait until every attempt that was begun here has ended.

        An environment is frozen when it has answered: an attempt whose follower has gone away has to end before.
        """
        while self._executions:
            await asyncio.wait([execution.task for execution in self._executions])

    def begin(
        self,
        record: RunRecord,
        component: Component,
        work: Work,
        session: Session | None,
        *,
        stream: bool,
        deadline: int | None,
        watched: bool = True,
        paused: RunOutput | None = None,
    ) -> Execution:
        """Begin the attempt that ``record`` claims, in the running event loop. ``stream``: it gives and logs events.

        ``watched``: the caller takes the events, too. ``deadline`` is the time at which it has to come to its end.
        ``paused`` is what a continued run left.
        """
        execution = Execution(
            record,
            component,
            store=self._store,
            engine=self.engine,
            clock=self._clock,
            observer=self._observer,
            deadline=deadline,
            stream=stream,
            watched=watched,
            retire=self._retire,
            fan_out=self._fan_out,
            pause=self._pause,
        )
        execution.start(work, session, paused)
        self._executions.add(execution)
        execution.task.add_done_callback(lambda _: self._executions.discard(execution))
        return execution
