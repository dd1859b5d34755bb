"""Durable runs: if their executor dies, they go on from their last checkpoint."""

from __future__ import annotations

import asyncio

import pytest

from agentos_lambda.protocol.events import cancel_reason
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun
from agentos_lambda.runs.endings import EXECUTION_LOST
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.runs.timing import LEASE_MS
from tests.runs.slicing import (
    FUNCTION_MS,
    begun,
    begun_durable,
    die,
    durable,
    slice_over,
    sliced_world,
    until_held,
    work_to_the_end,
    work_until_held,
)
from tests.runs.world import World, collect, component, names

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> World:
    return sliced_world()


async def test_a_durable_run_goes_on_from_its_last_checkpoint_when_its_executor_has_died(world):
    execution = await begun_durable(world, safe_points=2)
    run_id = execution.record.run_id
    assert (await die(world, execution.task)).revived == 1
    ended = await work_to_the_end(world)
    assert (ended.record.run_id, ended.record.status) == (run_id, RunStatus.COMPLETED)
    assert ended.output.run["content"] == "Hello world" * 3
    assert [run.request.carried and run.request.carried.state["slices"] for run in world.engine.runs] == [None, 1, 2, 2]
    log = world.store.read(ended.record, after=-1)
    indexes = [event.index for event in log]
    assert indexes == sorted(set(indexes))
    assert names(log)[-1] == "RunCompleted"


async def test_a_durable_run_whose_executor_dies_before_the_first_checkpoint_begins_again(world):
    execution = await begun_durable(world, safe_points=0)
    assert (await die(world, execution.task)).revived == 1
    ended = await work_to_the_end(world)
    assert ended.record.status is RunStatus.COMPLETED
    assert [run.request.work for run in world.engine.runs] == [RunInput("hi")] * 2


async def test_a_durable_run_is_carried_on_three_times_from_the_same_checkpoint(world):
    execution = await begun_durable(world, safe_points=1)
    assert (await die(world, execution.task)).revived == 1
    for revived in (1, 1, 0):
        swept = await die(world, await work_until_held(world))
        assert (swept.revived, swept.lost) == (revived, 1 - revived)
    view = world.runs.get(component(), execution.record.run_id)
    assert (view.record.error, view.output.run["input"]) == (EXECUTION_LOST, "hi")


async def test_a_checkpoint_gives_a_durable_run_three_further_lives(world):
    execution = await begun_durable(world, safe_points=1)
    await die(world, execution.task)
    for _ in range(2):
        await die(world, await work_until_held(world))
    world.engine.script["safe_points"] = 2
    before = len(world.engine.runs)
    working = asyncio.create_task(world.work())
    while len(world.engine.runs) < before + 2:  # it comes by another checkpoint
        await asyncio.to_thread(lambda: None)
    await world.engine.runs[-1].reached_hold.wait()
    assert (await die(world, working)).revived == 1
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED


@pytest.mark.parametrize("deltas", [("Hello ", "world"), ()], ids=["text", "no text"])
async def test_a_durable_run_that_is_cancelled_is_not_carried_on_and_keeps_the_text_of_its_checkpoint(world, deltas):
    world.engine.script["deltas"] = deltas
    execution = await begun_durable(world, safe_points=1)
    world.cancel(execution.record.run_id)
    assert (await die(world, execution.task)).cancelled == 1
    view = world.runs.get(component(), execution.record.run_id)
    text = "".join(deltas) or cancel_reason(view.record.run_id)
    assert (view.record.status, view.output.run["content"]) == (RunStatus.CANCELLED, text)
    told = world.store.read(view.record, after=-1)
    assert [event.event["content"] for event in told[-2:]] == [text] * 2
    assert not world.queue.waiting


async def test_a_client_of_a_dead_executor_gets_what_comes_after_it(world):
    execution = await begun_durable(world, safe_points=1)
    last = world.store.read(world.store.get(execution.record.run_id), after=-1)[-1].index
    await die(world, execution.task)
    ended = await work_to_the_end(world)
    assert names(world.store.read(ended.record, after=last + 100))[-1] == "RunCompleted"


async def test_the_client_of_an_executor_that_stalled_learns_that_its_durable_run_goes_on(world):
    execution = await begun_durable(world, safe_points=1)
    world.clock.advance(LEASE_MS * 5)
    assert world.sweeper.sweep().revived == 1
    world.engine.runs[-1].release()
    assert "RunError" not in names(await collect(execution))
    assert execution.handed_over
    assert (await execution.result()).record == world.store.get(execution.record.run_id)
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED


async def test_the_client_of_a_durable_run_whose_end_cannot_be_stored_learns_that_it_goes_on(world):
    execution = await begun_durable(world, safe_points=1)

    def down(*_args):
        raise StoreUnavailable("down")

    world.store.commit, commit = down, world.store.commit
    world.engine.runs[-1].release()
    assert "RunError" not in names(await collect(execution))
    assert execution.handed_over
    world.store.commit = commit
    world.clock.advance(LEASE_MS * 5)
    assert world.sweeper.sweep().revived == 1


async def test_a_run_that_is_not_durable_keeps_no_work_and_is_never_carried_on(world):
    execution = await begun(world, session_id="s")
    assert world.store.work(execution.record) is None
    assert (await die(world, execution.task)).lost == 1
    assert len(world.engine.runs) == 1


async def test_a_checkpoint_that_cannot_be_stored_harms_no_run(world):
    def down(*_args, **_options):
        raise StoreUnavailable("down")

    world.store.checkpoint = down
    world.engine.script["safe_points"] = 2
    execution = await world.execute(of=durable(), session_id="s")
    assert (await execution.result()).record.status is RunStatus.COMPLETED


async def test_a_durable_run_is_still_handed_over_when_its_function_is_over(world):
    world.engine.script |= {"hold": True, "safe_points": 0}
    execution = await world.execute(of=durable(), deadline=world.clock.now() + FUNCTION_MS)
    await until_held(world, 0)
    world.engine.runs[-1].safe_points = 9
    await slice_over(world)
    record = (await execution.result()).record
    assert (record.status, record.slices) == (RunStatus.PENDING, 1)


async def test_a_durable_run_that_was_continued_goes_on_from_its_decisions(world):
    world.engine.script |= {"status": RunStatus.PAUSED, "safe_points": 0}
    paused = await (await world.execute(of=durable(), session_id="s")).result()
    world.engine.script |= {"status": RunStatus.COMPLETED, "hold": True}
    decisions = Continuation(tools=({"tool_call_id": "c", "confirmed": True},))
    execution = await world.intake.continue_here(ContinueRun(durable(), paused.record.run_id, decisions, stream=True))
    await until_held(world, 1)
    assert (await die(world, execution.task)).revived == 1
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED
    last = world.engine.runs[-1].request
    assert (last.work, last.paused and last.paused.run["content"]) == (decisions, "Hello world")
