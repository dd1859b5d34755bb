"""A cancel at every moment of a run: after its acknowledgement the run is never found completed."""

import asyncio
import threading

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.timing import POLL_INTERVAL_MS
from tests.engine import samples
from tests.engine.playing import engine_of
from tests.runs.world import OneOfEach, World, collect, component, names

pytestmark = [pytest.mark.anyio, pytest.mark.faults]


def elsewhere(world: World) -> RunService:
    """What another process cancels with."""
    return RunService(world.store, world.clock, new_id=lambda: f"elsewhere-{world.new_id()}")


async def test_before_its_start_there_is_nothing_to_cancel(world):
    with pytest.raises(NotFound):
        world.cancel("run")
    assert (await world.run(run_id="run")).record.status is RunStatus.COMPLETED


async def test_a_queued_run_never_starts(world):
    record = world.enqueue()
    assert elsewhere(world).cancel(component(), record.run_id).status is RunStatus.CANCELLED
    assert await world.work() is None
    assert world.engine.runs == []


async def test_in_a_stream_from_elsewhere(world):
    execution = await world.held(stream=True)
    assert elsewhere(world).cancel(component(), execution.record.run_id).cancel_requested
    world.clock.advance(POLL_INTERVAL_MS)
    world.supervisors[0].wake()  # its second is over
    events = await collect(execution)
    assert names(events)[-2:] == ["RunCancelled", "RunCompleted"]
    record = world.store.get(execution.record.run_id)
    assert record.status is RunStatus.CANCELLED
    assert world.store.output(record).run["content"] == "Hello world"


@pytest.mark.parametrize("how", ["waits", "blocks its thread"])
async def test_in_a_tool(world, how):
    begun, over = threading.Event(), threading.Event()

    async def waits() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    def blocks() -> str:
        begun.set()
        over.wait()
        return "too late"

    tool = waits if how == "waits" else blocks
    assistant = samples.assistant()
    assistant.tools = [tool]
    world.engine = engine_of(assistant)
    execution = await world.execute(f"call {tool.__name__}", stream=True)
    assert await asyncio.to_thread(begun.wait, 20)
    world.cancel(execution.record.run_id)
    world.clock.advance(POLL_INTERVAL_MS)
    world.supervisors[0].wake()
    ended = await execution.result()
    over.set()
    assert ended.record.status is RunStatus.CANCELLED


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.ERROR])
async def test_after_the_end_it_changes_nothing(world, status):
    world.engine.script["status"] = status
    ended = await world.run()
    record = world.cancel(ended.record.run_id)
    assert (record, record.cancel_requested) == (ended.record, False)


async def test_twice_is_once(world):
    execution = await world.held()
    first = world.cancel(execution.record.run_id)
    assert elsewhere(world).cancel(component(), execution.record.run_id) == first
    world.engine.runs[0].release()
    assert (await execution.result()).record.status is RunStatus.CANCELLED
    assert world.cancel(execution.record.run_id) == world.store.get(execution.record.run_id)


@pytest.mark.parametrize("first", ["cancel", "commit"])
async def test_racing_the_commit_one_of_both_wins(world, first):
    execution = await world.held()
    run_id = execution.record.run_id
    commit, answers = world.store.commit, []

    def raced(ending):
        if first == "cancel" and not answers:
            answers.append(elsewhere(world).cancel(component(), run_id))
        committed = commit(ending)
        if first == "commit":
            answers.append(elsewhere(world).cancel(component(), run_id))
        return committed

    world.store.commit = raced
    world.engine.runs[0].release()
    ended = await execution.result()
    assert answers[0].cancel_requested is (first == "cancel")
    assert ended.record.status is (RunStatus.CANCELLED if first == "cancel" else RunStatus.COMPLETED)


async def test_of_a_queued_run_whose_session_has_become_another_users(world):
    record = world.enqueue(session_id="s", user_id="alice")
    await world.run(session_id="s", user_id="bob")
    assert world.cancel(record.run_id).status is RunStatus.CANCELLED
    assert OneOfEach().find(record.kind, record.component_id) is not None
    assert [run.run_id for run in world.runs.list(component(), "s")] != [record.run_id]
