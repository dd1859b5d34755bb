"""What tests do with runs that go through several executors, over a ``World``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import AttemptResult
from agentos_lambda.runs.slices import Slicing
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import LEASE_MS
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World, component

SLICE_MS = 60_000
FUNCTION_MS = 90_000


def sliced_world(slicing: Slicing = Slicing(slice_ms=SLICE_MS), **options: Any) -> World:  # noqa: B008 - it is frozen
    """A world whose slices end when a test says so."""
    return World(slicing=slicing, supervisor=HandDrivenSupervisor, **options)


async def until_held(world: World, before: int) -> None:
    """Until an engine run after those ``before`` has only its end left to say."""
    while len(world.engine.runs) <= before:
        await asyncio.to_thread(lambda: None)
    await world.engine.runs[-1].reached_hold.wait()


async def slice_over(world: World) -> None:
    """The attempt that is under way has worked long enough."""
    world.clock.advance(SLICE_MS)
    world.supervisors[-1].tick()


async def begun(world: World, **request: Any) -> Execution:
    return await world.held(deadline=world.clock.now() + FUNCTION_MS, **request)


async def handed_over(world: World, **request: Any) -> Execution:
    """A foreground run that a first executor has handed over."""
    execution = await begun(world, **{"stream": True, "session_id": "s", **request})
    await slice_over(world)
    await execution.result()
    return execution


async def work_until_held(world: World, *, deadline: int | None = None) -> asyncio.Task[AttemptResult | None]:
    """A worker carries the run on, and has only its end left to say."""
    before = len(world.engine.runs)
    working = asyncio.create_task(world.worker.work(world.queue.waiting.popleft(), deadline=deadline))
    await until_held(world, before)
    return working


async def work_a_slice(world: World) -> AttemptResult:
    """A worker carries the run on for a slice."""
    working = await work_until_held(world, deadline=world.clock.now() + FUNCTION_MS)
    await slice_over(world)
    ended = await working
    assert ended is not None
    return ended


async def work_to_the_end(world: World) -> AttemptResult:
    world.engine.script["hold"] = False
    ended = await world.work()
    assert ended is not None
    return ended


def durable() -> Component:
    return replace(component(), durable=True)


async def begun_durable(world: World, *, safe_points: int, **request: Any) -> Execution:
    """A durable run that has come by its safe points, and works on what comes after them."""
    world.engine.script |= {"hold": True, "safe_points": safe_points}
    execution = await world.execute(of=durable(), **{"session_id": "s", "stream": True, **request})
    await until_held(world, safe_points)
    return execution


async def die(world: World, task: asyncio.Task[Any]) -> Swept:
    """The executor's process dies where it stands, and a sweep finds out."""
    for each in {*(execution.task for execution in world.executor._executions), task}:
        each.cancel()
    await asyncio.wait([task])
    world.clock.advance(LEASE_MS * 5)
    return world.sweeper.sweep()
