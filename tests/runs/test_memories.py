"""What becomes of the memories that a run has changed."""

import asyncio

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.memories import Memory, MemoryChange
from tests.runs.scripted_engine import ScriptedEngine
from tests.runs.world import World

pytestmark = pytest.mark.anyio

TEA = Memory("alice", "m1", "likes tea", created_at=1, updated_at=1, revision="r1")
ADDED = (MemoryChange("alice", "m1", None, TEA),)


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.PAUSED, RunStatus.ERROR])
async def test_a_run_that_ends_or_pauses_leaves_what_it_remembers(status):
    world = World(engine=ScriptedEngine(memories=ADDED, status=status))

    await world.run()

    assert world.store.memories_of("alice") == [TEA]


async def test_a_cancelled_run_leaves_none():
    world = World(engine=ScriptedEngine(memories=ADDED))
    execution = await world.held()
    await asyncio.to_thread(world.cancel, execution.record.run_id)
    world.engine.runs[0].release()

    assert (await execution.result()).record.status is RunStatus.CANCELLED
    assert world.store.memories_of("alice") == []


async def test_a_run_whose_cancel_came_just_before_its_end_leaves_none():
    world = World(engine=ScriptedEngine(memories=ADDED))
    execution = await world.held()
    world.store.flag_cancel(execution.record, now=world.clock.now())
    world.engine.runs[0].release()

    assert (await execution.result()).record.status is RunStatus.CANCELLED
    assert world.store.memories_of("alice") == []


async def test_the_engine_gets_the_memories_of_any_user():
    world = World(engine=ScriptedEngine(memories=ADDED))
    await world.run()
    await world.run()

    assert world.engine.runs[1].request.memories("alice") == [TEA]
