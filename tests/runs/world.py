"""A service over the memory store and a scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Protocol, cast

from agentos_lambda.memories.ports import MemoryDirectory
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.engine_ports import Engine
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.model import AttemptResult, IndexedEvent, RunInput, RunRecord
from agentos_lambda.runs.observer import Observer, Unobserved
from agentos_lambda.runs.ports import Store
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.slices import Slicing
from agentos_lambda.runs.supervisor import AttemptSupervisor
from agentos_lambda.runs.sweeper import Sweeper
from agentos_lambda.runs.worker import Worker
from agentos_lambda.sessions.expiry import SessionExpiry
from agentos_lambda.sessions.ports import DeletionStore
from agentos_lambda.stores.memory import MemoryCounters, MemoryQueue, MemoryStore
from tests.clocks import ManualClock
from tests.runs.scripted_engine import ScriptedEngine

COMPONENTS = ("assistant", "research-team", "story-workflow")


def component(kind: Kind = Kind.AGENT, component_id: str = "assistant") -> Component:
    return Component(kind, component_id, component_id.title(), 3, {}, {}, {})


async def at_once(_seconds: float) -> None:
    """A pause that takes no time."""


class OneOfEach:
    """A catalog with the components that the tests run."""

    def find(self, kind: Kind, component_id: str) -> Component | None:
        return component(kind, component_id) if component_id in COMPONENTS else None

    def all(self, kind: Kind) -> Sequence[Component]:
        return [component(kind, component_id) for component_id in COMPONENTS]

    def models(self) -> Sequence[JsonObject]:
        return [{"id": "demo", "provider": "Demo"}]

    def os_config(self) -> JsonObject:
        return {"databases": []}

    def engine_version(self) -> str:
        return "3.1.10"


class WorldStore(Store, DeletionStore, MemoryDirectory, Protocol):
    """Of runs, and of sessions and memories as requests see them."""


@dataclass
class World:
    """Everything a run needs, and short names for what tests do with it."""

    store: WorldStore = field(default_factory=MemoryStore)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    clock: ManualClock = field(default_factory=ManualClock)
    new_id: Callable[[], str] = field(default_factory=lambda: map("id-{}".format, count(1)).__next__)

    queue: MemoryQueue = field(default_factory=MemoryQueue)
    queue_limit: int | None = None
    observer: Observer | None = None
    supervisor: type[AttemptSupervisor] = AttemptSupervisor
    slicing: Slicing | None = None
    load_engine: Callable[[], Engine] | None = None
    """Loads the engine in place of ``engine``."""

    def __post_init__(self) -> None:
        self.counters = MemoryCounters()
        limiter = Limiter(self.clock, self.counters)
        store, clock, new_id = self.store, self.clock, self.new_id
        self.recycled = 0
        self.supervisors: list[AttemptSupervisor] = []
        context = ExecutionContext(
            store,
            self._engine,
            clock,
            recycle=self._recycle,
            observer=self.observer or Unobserved(),
            supervisor=self._supervisor,
            pause=at_once,
            queue=self.queue,
            slicing=self.slicing,
            limiter=limiter,
        )
        self.executor = RunExecutor(context)
        self.intake = RunIntake(
            store,
            self.queue,
            self.executor,
            clock,
            engine=self._engine,
            new_id=new_id,
            queue_limit=self.queue_limit,
            expired=SessionExpiry(store, self.queue, clock).removed,
            limiter=limiter,
        )
        self.runs = RunService(store, clock, new_id=new_id, observer=self.observer, limiter=limiter)
        self.worker = Worker(store, self.executor, OneOfEach(), clock, new_id=new_id, limiter=limiter, pause=at_once)
        # One thread and one order: stores that tests watch, hold up or disturb are called in a known order.
        self.sweeper = Sweeper(
            store,
            self.queue,
            OneOfEach(),
            clock,
            new_id=new_id,
            observer=self.observer,
            shuffle=Random(7).shuffle,  # noqa: S311 - no secret
            threads=1,
            limiter=limiter,
        )

    def _engine(self) -> Engine:
        return self.engine if self.load_engine is None else self.load_engine()

    def _recycle(self) -> None:
        self.recycled += 1

    def _supervisor(self, *args: Any, **kwargs: Any) -> AttemptSupervisor:
        self.supervisors.append(self.supervisor(*args, **kwargs))
        return self.supervisors[-1]

    async def execute(self, message: str = "hi", *, of: Component | None = None, **request: Any) -> Execution:
        begun = await self.intake.execute(StartRun(of or component(), RunInput(message), **request))
        return cast(Execution, begun)  # of a key that is repeated it is the record of its run

    async def run(self, message: str = "hi", **request: Any) -> AttemptResult:
        """A run to its end, a millisecond after the one before."""
        self.clock.advance(1)
        return await (await self.execute(message, **request)).result()

    async def held(self, **request: Any) -> Execution:
        """An execution whose engine has said everything and waits to be released."""
        self.engine.script["hold"] = True
        before = len(self.engine.runs)
        execution = await self.execute(**request)
        while len(self.engine.runs) == before:
            await asyncio.to_thread(lambda: None)
        await self.engine.runs[-1].reached_hold.wait()
        return execution

    def enqueue(self, message: str = "hi", **request: Any) -> RunRecord:
        return self.intake.enqueue(StartRun(component(), RunInput(message), background=True, **request))

    async def work(self) -> AttemptResult | None:
        """What a worker does with the next message."""
        return await self.worker.work(self.queue.waiting.popleft(), deadline=None)

    def cancel(self, run_id: str) -> object:
        return self.runs.cancel(component(), run_id)


async def collect(execution: Execution) -> list[IndexedEvent]:
    return [indexed async for indexed in execution.events()]


def names(events: list[IndexedEvent]) -> list[str]:
    return [indexed.event["event"] for indexed in events]
