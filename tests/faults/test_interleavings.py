"""Two actors at one run, in every order of their calls to the store: the promises hold after each call.

Sweepers have clocks that are ahead by a lease and the margin, as if the executor had stalled and then continued.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.errors import Conflict, StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import AttemptResult, EventPack, RunInput
from agentos_lambda.runs.tail import tail
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.faults.actors import DECISION
from tests.faults.interleaving import Scene, all_orders
from tests.faults.watch import Watch
from tests.process import ROOT
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World, at_once, component

pytestmark = pytest.mark.faults

RUN = "the-run"
SLICED = "SLICED"
"""PENDING between two slices."""
DURABLE = "DURABLE"
"""PENDING, of a durable component: it comes by a safe point, at which it has a checkpoint."""
CHECKPOINTED = "CHECKPOINTED"
"""The same, RUNNING; its executor has died right after the checkpoint."""
DEPTH = 12
SHORTER = 9
"""The depth where there would be thousands of orders."""
SNAPSHOTS = 2
"""Snapshots that a reader takes."""


@dataclass
class Stage:
    """A run and its actors."""

    start: RunStatus | str

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(clock=self.clock)
        self.watch = Watch(self.store)
        self.ids = 0
        self.got: list[list] = []
        self.worlds: list[World] = []
        self.durable = self.start in (DURABLE, CHECKPOINTED)
        world = self.world(self.store, "first")
        if self.start is not RunStatus.PAUSED:
            of = replace(component(), durable=self.durable)
            world.intake.enqueue(StartRun(of, RunInput("hi"), "s", run_id=RUN, background=True))
        if self.start is RunStatus.RUNNING:
            until = self.clock.now() + LEASE_MS
            claimed = self.store.claim(RUN, executor="has died", lease_until=until, expired_before=0)
            self.store.append(RUN, claimed.attempt, EventPack(0, ({"event": "RunStarted", "run_id": RUN},)))
        if self.start == SLICED:
            asyncio.run(_slice(world))
        if self.start == CHECKPOINTED:
            asyncio.run(_die_after_the_checkpoint(world))
        if self.start is RunStatus.PAUSED:
            world.engine.script["status"] = RunStatus.PAUSED

            async def pause() -> None:
                await (await world.execute(session_id="s", run_id=RUN, stream=True)).result()

            asyncio.run(pause())

    def world(self, store, name: str, *, ahead: int = 0) -> World:
        self.ids += 1
        numbers = iter(range(1000))
        world = World(
            store=store,
            clock=ManualClock(self.clock.now() + ahead),
            new_id=lambda number=self.ids: f"{name}-{number}-{next(numbers)}",
            supervisor=HandDrivenSupervisor,
        )
        world.engine.script["deltas"] = (f"{name}-{self.ids}:",)
        world.engine.script["last_words"] = f"{name}-{self.ids}:"
        if self.durable:
            world.engine.script["safe_points"] = 1
        self.worlds.append(world)
        return world

    def executor(self, store) -> None:
        """A worker with the run's message."""
        world = self.world(store, "executor")
        self._hear(asyncio.run(world.worker.work(RUN, deadline=None)))

    def slicer(self, store) -> None:
        """A worker that hands the run over, with the run's message."""
        self._hear(asyncio.run(_slice(self.world(store, "slicer"))))

    def continuer(self, store) -> None:
        world = self.world(store, "continuer")

        async def go_on() -> None:
            execution = await world.intake.continue_here(ContinueRun(component(), RUN, DECISION, stream=True))
            assert isinstance(execution, Execution)
            self._hear(await execution.result())

        with suppress(Conflict):
            asyncio.run(go_on())

    def canceller(self, store) -> None:
        with suppress(StoreUnavailable):
            self.watch.acknowledge(self.world(store, "canceller").cancel(RUN))

    def sweeper(self, store) -> None:
        self.world(store, "sweeper", ahead=LEASE_MS + DUE_STEP_MS).sweeper.sweep()

    def reader(self, store) -> None:
        got: list = []
        self.got.append(got)

        async def look() -> None:
            snapshots = 0
            async for found in tail(store, self.clock, RUN, after=-1, pause=at_once):
                got.extend(found.events)
                snapshots += 1
                if snapshots == SNAPSHOTS:
                    return

        asyncio.run(look())

    def _hear(self, ended) -> None:
        if ended is not None and ended.record.status is RunStatus.COMPLETED:
            self.watch.completed_for_clients[RUN] = ended.output

    def scene(self, *actors: str) -> Scene:
        return Scene(
            [getattr(self, name) for name in actors],
            self.store,
            after_each=lambda: self.watch.look([RUN]),
            at_the_end=self.end,
        )

    def end(self) -> None:
        """Workers and sweepers come until the run rests. All readers and clients have got the same."""
        for _ in range(3):
            world = self.world(self.store, "later", ahead=LEASE_MS + DUE_STEP_MS)
            self._hear(asyncio.run(world.worker.work(RUN, deadline=None)))
            self.clock.advance(2 * LEASE_MS + 2 * DUE_STEP_MS)
            world.clock.advance(2 * LEASE_MS + 2 * DUE_STEP_MS)
            world.sweeper.sweep()
            self.watch.look([RUN], again=True)
        record = self.store.get(RUN)
        assert not record.status.active
        assert record.status is not RunStatus.PAUSED or self.start is RunStatus.PAUSED
        self.watch.one_writer_at_a_time(record)
        self.watch.nothing_executed_twice(run.request for world in self.worlds for run in world.engine.runs)
        log = self.store.read(record, after=-1)
        assert all(got == log[: len(got)] for got in self.got)


async def _slice(world: World) -> AttemptResult | None:
    """Carry the run on until its engine comes to a safe point."""
    world.engine.script["hold"] = True
    working = asyncio.create_task(world.worker.work(RUN, deadline=None))
    while not working.done():
        if world.engine.runs and world.engine.runs[-1].reached_hold.is_set():
            world.engine.runs[-1].hand_over()
        await asyncio.sleep(0)
    return await working


async def _die_after_the_checkpoint(world: World) -> None:
    """Execute the run until its engine has only the end left to say, and die there."""
    world.engine.script["hold"] = True
    working = asyncio.create_task(world.worker.work(RUN, deadline=None))
    while len(world.engine.runs) < 2 or not world.engine.runs[-1].reached_hold.is_set():
        await asyncio.to_thread(lambda: None)
    [execution] = world.executor._executions
    for task in (execution.task, working):
        task.cancel()
    await asyncio.wait([execution.task, working])


SCENES = [
    (RunStatus.PENDING, "executor", "executor", 12),
    (RunStatus.PENDING, "executor", "canceller", 204),
    (RunStatus.PENDING, "executor", "sweeper", 590),
    (RunStatus.PENDING, "executor", "reader", 210),
    (RunStatus.PENDING, "slicer", "canceller", 411),
    (RunStatus.PENDING, "slicer", "executor", 17),
    (RunStatus.PENDING, "slicer", "sweeper", 316),
    (SLICED, "executor", "executor", 10),
    (SLICED, "executor", "canceller", 121),
    (SLICED, "executor", "sweeper", 317),
    (SLICED, "canceller", "sweeper", 20),
    (DURABLE, "executor", "sweeper", 375),
    (CHECKPOINTED, "sweeper", "sweeper", 116),
    (CHECKPOINTED, "sweeper", "canceller", 39),
    (CHECKPOINTED, "sweeper", "executor", 11),
    (RunStatus.PENDING, "canceller", "canceller", 20),
    (RunStatus.PENDING, "canceller", "sweeper", 20),
    (RunStatus.PENDING, "canceller", "reader", 35),
    (RunStatus.RUNNING, "sweeper", "sweeper", 60),
    (RunStatus.RUNNING, "sweeper", "canceller", 21),
    (RunStatus.RUNNING, "sweeper", "reader", 126),
    (RunStatus.RUNNING, "sweeper", "executor", 6),
    (RunStatus.PAUSED, "continuer", "continuer", 528),
    (RunStatus.PAUSED, "continuer", "canceller", 370),
    (RunStatus.PAUSED, "continuer", "sweeper", 95),
    (RunStatus.PAUSED, "continuer", "reader", 61),
    (RunStatus.PAUSED, "canceller", "canceller", 20),
    (RunStatus.PAUSED, "canceller", "reader", 10),
]
"""As what a run is found, two actors, and in how many orders their calls can be."""


def test_the_documents_say_how_many_orders_there_are():
    told = f"{len(SCENES)} pairs, {sum(orders for *_, orders in SCENES):,} orders"
    assert told in (ROOT / "docs/reliability.md").read_text()


@pytest.mark.parametrize(("start", "one", "other", "orders"), SCENES)
def test_the_promises_hold_in_every_order_of_the_calls_of(start, one, other, orders):
    """``start``: as what the run is found, RUNNING with an executor that has died."""
    depth = SHORTER if start == DURABLE or (one, other) == ("slicer", "sweeper") else DEPTH
    played = list(all_orders(lambda: Stage(start).scene(one, other), depth=depth))
    assert len(played) > 1
    assert len({tuple(order) for order in played}) == len(played) == orders
