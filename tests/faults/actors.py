"""Every actor that has to do with runs, in single steps of one process, over one store that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.errors import Conflict, NotFound, RunsError, StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import AttemptResult, Continuation, IndexedEvent, RunInput, RunRecord, SessionDelta
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.supervisor import AttemptSupervisor
from agentos_lambda.runs.tail import Snapshot, tail
from agentos_lambda.runs.timing import MAX_WAIT_MS
from tests.clocks import ManualClock
from tests.faults.injection import Injector
from tests.faults.watch import Watch
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.scripted_engine import ScriptedRun
from tests.runs.world import World, at_once, component

DECISION = Continuation(tools=({"tool_call_id": "c", "confirmed": True},))


@dataclass(eq=False)
class Attempt:
    """An executor in the middle of its work: the engine has said everything but how it ends."""

    run_id: str
    engine_run: ScriptedRun
    task: asyncio.Task[AttemptResult | None]
    execution: Execution
    supervisor: AttemptSupervisor
    number: int
    """Its fencing number."""
    streamed: bool
    """Whether a client gets its events."""
    script: dict[str, Any]
    """Of all its engine runs."""

    @property
    def durable(self) -> bool:
        return self.execution.record.durable


@dataclass(eq=False)
class Reader:
    """A client that reads a run's events from the log."""

    run_id: str
    snapshots: AsyncIterator[Snapshot]
    got: list[IndexedEvent] = field(default_factory=list)
    over: bool = False
    last: RunStatus | None = None
    """The status in its last snapshot."""


class Actors:
    """Steps of the actors, each run to its end before the next one begins. If the store fails, the step is over."""

    def __init__(self, store: Store, truth: Store, injector: Injector, clock: ManualClock) -> None:
        """``store`` can fail, ``truth`` is the same store and cannot."""
        self.loop = asyncio.new_event_loop()
        self.clock, self.injector, self.truth = clock, injector, truth
        self.world = World(store=store, clock=clock, supervisor=HandDrivenSupervisor)
        self.watch = Watch(truth)
        self.run_ids: list[str] = []
        self._writers = map("writer-{}".format, count(1))
        self.attempts: list[Attempt] = []
        self.readers: list[Reader] = []
        self.handed_on: dict[str, int] = {}
        """Run -> the last event index that a client of a crashed executor may have got, logged or not."""
        begin = self.world.executor.begin

        def noting(*args: Any, **kwargs: Any) -> Execution:
            self._begun.append(begin(*args, **kwargs))
            return self._begun[-1]

        self._begun: list[Execution] = []
        self.world.executor.begin = noting

    def do(self, steps: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(steps)

    def foreground(self, session_id: str, user_id: str | None, *, streamed: bool, durable: bool = False) -> None:
        of = replace(component(), durable=durable)
        command = StartRun(of, RunInput("hi"), session_id, user_id, self._run_id(), stream=streamed)

        async def work() -> AttemptResult | None:
            execution = await self.world.intake.execute(command)
            return await execution.result() if isinstance(execution, Execution) else None

        self._begin(command.run_id, work(), streamed=streamed)

    def enqueue(self, session_id: str, user_id: str | None, *, durable: bool = False) -> None:
        of = replace(component(), durable=durable)
        command = StartRun(of, RunInput("hi"), session_id, user_id, self._run_id(), background=True)
        _quietly(lambda: self.world.intake.enqueue(command))

    def deliver(self, *, keep: bool) -> None:
        """A worker gets the oldest message. A copy of it stays in the queue where it is delivered twice (``keep``)."""
        run_id = self.world.queue.waiting.popleft()
        if keep:
            self.world.queue.waiting.append(run_id)
        self._begin(run_id, self.world.worker.work(run_id, deadline=None), streamed=False)

    def end(self, attempt: Attempt, status: RunStatus) -> None:
        """The engine comes to this end, and the executor commits it."""
        attempt.engine_run.status = status
        attempt.engine_run.error = "it broke" if status is RunStatus.ERROR else None
        attempt.engine_run.release()
        self._finish(attempt)

    def hand_over(self, attempt: Attempt) -> None:
        """The engine stops at a safe point, and the executor hands the run over."""
        attempt.engine_run.safe_points = 1_000
        attempt.execution._driver.hand_over()
        self._finish(attempt)

    def checkpoint(self, attempt: Attempt) -> None:
        """The engine of a durable run stops at a safe point, and goes on from the checkpoint. An attempt that has lost
        its claim comes to its end."""
        engine = self.world.engine
        engine.script = attempt.script
        before = len(engine.runs)
        attempt.engine_run.safe_points = 1_000
        attempt.engine_run.hand_over()

        async def until_held() -> None:
            while not attempt.task.done():
                if len(engine.runs) > before and engine.runs[-1].reached_hold.is_set():
                    break
                await asyncio.sleep(0)

        self.do(until_held())
        if attempt.task.done():
            self._finish(attempt)
        else:
            attempt.engine_run = engine.runs[-1]

    def _finish(self, attempt: Attempt) -> None:
        self.attempts.remove(attempt)
        self.do(asyncio.wait([attempt.task]))
        self._hear(attempt)

    def tick(self, attempt: Attempt) -> None:
        """The supervisor ticks. An attempt that it stops comes to its end."""
        attempt.supervisor.tick()
        if attempt.engine_run.cancelled:
            self._finish(attempt)

    def crash(self, attempt: Attempt) -> None:
        """The executor's process dies where it stands."""
        self.attempts.remove(attempt)
        attempt.execution.task.cancel()
        attempt.task.cancel()
        self.do(asyncio.wait([attempt.task, attempt.execution.task]))
        if attempt.streamed:
            for event in self.do(_until_it_died(attempt.execution)):
                self.handed_on[attempt.run_id] = event.index

    def cancel(self, run_id: str) -> None:
        record = _quietly(lambda: self.world.runs.cancel(component(), run_id))
        if record is not None:
            self.watch.acknowledge(record)

    def continue_here(self, run_id: str) -> None:
        command = ContinueRun(component(), run_id, DECISION, stream=True)

        async def work() -> AttemptResult | None:
            return await (await self.world.intake.continue_here(command)).result()

        self._begin(run_id, work(), streamed=True)

    def enqueue_continuation(self, run_id: str) -> None:
        command = ContinueRun(component(), run_id, DECISION, background=True)
        _quietly(lambda: self.world.intake.enqueue_continuation(command))

    def sweep(self) -> None:
        _quietly(self.world.sweeper.sweep)

    def begin_to_read(self, run_id: str) -> None:
        snapshots = tail(self.world.store, self.clock, run_id, after=-1, pause=at_once)
        self.readers.append(Reader(run_id, snapshots))

    def read(self, reader: Reader) -> None:
        """The reader takes a snapshot. If the store fails, it is over: its client comes again, from its last event."""
        try:
            snapshot = self.do(anext(reader.snapshots, None))
        except StoreUnavailable:
            reader.over = True
            return
        if snapshot is None:
            reader.over = True
        else:
            reader.got += snapshot.events
            reader.last = snapshot.record.status

    def settle(self) -> None:
        """No more faults: the executors crash, and time passes until all runs have ended."""
        self.injector.disarm()
        self.injector.apply_late()
        for attempt in list(self.attempts):
            self.crash(attempt)
        for milliseconds in (60_000, 60_000, MAX_WAIT_MS, 60_000):
            self.clock.advance(milliseconds)
            self.world.sweeper.sweep()
            while self.world.queue.waiting:
                self.deliver(keep=False)
                for attempt in list(self.attempts):
                    self.end(attempt, RunStatus.COMPLETED)
            self.watch.look(self.run_ids, again=True)

    def check_what_was_handed_on(self) -> None:
        """A client that comes back with the last index that it got still gets the end."""
        for run_id, index in self.handed_on.items():
            record = self.truth.get(run_id)
            if record.status.final:
                assert self.truth.read(record, after=index), "the end has an index that a client has passed"

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def records(self) -> list[RunRecord]:
        found = (self.truth.get(run_id) for run_id in self.run_ids)
        return [record for record in found if record is not None]

    def _run_id(self) -> str:
        self.run_ids.append(f"run-{len(self.run_ids) + 1}")
        return self.run_ids[-1]

    def _begin(self, run_id: str, work: Coroutine[Any, Any, AttemptResult | None], *, streamed: bool) -> None:
        """Let an executor work until its engine has only its end left to say, or until it has failed."""
        writer = next(self._writers)
        engine = self.world.engine
        engine.script = {
            "deltas": (f"{writer}:",),
            "last_words": f"{writer}:",  # not logged yet when the run is handed over
            "hold": True,
            "safe_points": 1,  # at which a durable run has a checkpoint
            "session": SessionDelta(set={f"state:{writer}": run_id}),
        }
        before, begun = len(engine.runs), len(self._begun)

        async def until_held() -> asyncio.Task[AttemptResult | None]:
            task = asyncio.create_task(work)
            while not task.done():
                run = engine.runs[-1] if len(engine.runs) > before else None
                if run is not None and run.reached_hold.is_set() and not run.handed_over:
                    break
                await asyncio.sleep(0)
            return task

        task = self.do(until_held())
        if task.done():
            if (error := task.exception()) is not None and not isinstance(error, RunsError):
                raise error
        else:
            execution, supervisor = self._begun[begun], self.world.supervisors[begun]
            number = execution.record.attempt
            held = Attempt(run_id, engine.runs[-1], task, execution, supervisor, number, streamed, engine.script)
            self.attempts.append(held)

    def _hear(self, attempt: Attempt) -> None:
        """What the clients of an attempt that has ended got."""
        error = attempt.task.exception()
        if error is not None and not isinstance(error, StoreUnavailable):
            raise error
        ended = attempt.task.result() if error is None else None
        if ended is not None and ended.record.status is RunStatus.COMPLETED:
            # The attempt of a durable run that lost its claim tells what became of the run under another one.
            assert ended.record.attempt == attempt.number or attempt.durable
            self.watch.completed_for_clients[attempt.run_id] = ended.output
        if attempt.streamed:
            events = self.do(_all(attempt.execution))
            assert [event.index for event in events] == sorted({event.index for event in events})
            if attempt.execution.handed_over:
                return
            last = events[-1].event
            assert last["run_id"] == attempt.run_id
            assert last["event"] in ("RunCompleted", "RunError", "RunPaused")
            if last["event"] == "RunCompleted":  # the second of the two events of a cancelled run, too
                assert self.truth.get(attempt.run_id).status in (RunStatus.COMPLETED, RunStatus.CANCELLED)


async def _until_it_died(execution: Execution) -> list[IndexedEvent]:
    """What a client may have got of an execution whose task was cancelled."""
    events = []
    with suppress(asyncio.CancelledError):
        async for event in execution.events():
            events.append(event)  # noqa: PERF401 - a comprehension would lose them all
    return events


async def _all(execution: Execution) -> list[IndexedEvent]:
    return [event async for event in execution.events()]


def _quietly(step: Any) -> Any:
    """The result of the step; None if it was refused or the store failed, of which its client hears."""
    try:
        return step()
    except (StoreUnavailable, Conflict, NotFound):
        return None
