"""A service over the memory store and a scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from agentos_lambda.runs.execution import Ended, Execution
from agentos_lambda.runs.model import Component, IndexedEvent, Kind, RunInput
from agentos_lambda.runs.service import RunRequest, RunService
from agentos_lambda.stores.memory import MemoryStore
from tests.runs.clocks import ManualClock
from tests.runs.scripted_engine import ScriptedEngine


def component(kind: Kind = Kind.AGENT, component_id: str = "assistant") -> Component:
    return Component(kind, component_id, component_id.title(), 3, {}, {}, {})


@dataclass
class World:
    """Everything a run needs, and short names for what tests do with it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    clock: ManualClock = field(default_factory=ManualClock)
    new_id: Callable[[], str] = field(default_factory=lambda: map("id-{}".format, count(1)).__next__)

    def __post_init__(self) -> None:
        self.runs = RunService(self.store, lambda: self.engine, self.clock, new_id=self.new_id)

    async def execute(self, message: str = "hi", *, of: Component | None = None, **request: object) -> Execution:
        return await self.runs.execute(RunRequest(of or component(), RunInput(message), **request))

    async def run(self, message: str = "hi", **request: object) -> Ended:
        """A run to its end, a millisecond after the one before."""
        self.clock.advance(1)
        return await (await self.execute(message, **request)).ended()

    async def held(self, **request: object) -> Execution:
        """An execution whose engine has said everything and waits to be released."""
        self.engine.script["hold"] = True
        execution = await self.execute(**request)
        while not self.engine.runs:
            await asyncio.to_thread(lambda: None)
        await self.engine.runs[-1].reached_hold.wait()
        return execution

    def cancel(self, run_id: str) -> object:
        return self.runs.cancel(component(), run_id)


async def collect(execution: Execution) -> list[IndexedEvent]:
    return [indexed async for indexed in execution.events()]


def names(events: list[IndexedEvent]) -> list[str]:
    return [indexed.event["event"] for indexed in events]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world() -> World:
    return World()
