"""Paused runs are continued: later, elsewhere, once."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.commands import ContinueRun
from agentos_lambda.runs.errors import Conflict, InvalidRequest, NotFound
from agentos_lambda.runs.model import Continuation
from tests.runs.world import World, collect, component, names

pytestmark = pytest.mark.anyio

DECISION = Continuation(tools=({"tool_call_id": "c", "confirmed": True},))


async def paused(world: World, **request: object):
    world.engine.script["status"] = RunStatus.PAUSED
    ended = await (await world.execute(session_id="s", **request)).result()
    assert ended.record.status is RunStatus.PAUSED
    world.engine.script["status"] = RunStatus.COMPLETED
    return ended.record


def asking(run_id: str, **fields) -> ContinueRun:
    return ContinueRun(component(), run_id, fields.pop("continuation", DECISION), **fields)


async def test_a_paused_run_continues_with_what_it_left_and_with_the_next_index(world):
    record = await paused(world, stream=True)
    execution = await world.intake.continue_here(asking(record.run_id, stream=True))
    events = await collect(execution)
    request = world.engine.runs[-1].request
    assert (request.work, request.paused.run["content"]) == (DECISION, "Hello world")
    assert events[0].index == record.next_index == 5
    ended = world.store.get(record.run_id)
    assert (ended.status, ended.attempt) == (RunStatus.COMPLETED, 2)
    assert [event.index for event in world.store.read(ended, after=-1)] == list(range(10))


async def test_a_continued_run_is_listed_once_in_its_session(world):
    record = await paused(world)
    await (await world.intake.continue_here(asking(record.run_id))).result()
    listed = world.runs.list(component(), "s")
    assert [(run.run_id, run.status) for run in listed] == [(record.run_id, RunStatus.COMPLETED)]


async def test_a_paused_run_is_continued_by_a_worker(world):
    record = await paused(world)
    queued = world.intake.enqueue_continuation(asking(record.run_id, background=True))
    assert queued.status is RunStatus.PENDING
    ended = await world.work()
    assert (ended.record.status, ended.record.attempt) == (RunStatus.COMPLETED, 2)
    assert world.engine.runs[-1].request.work == DECISION
    assert world.engine.runs[-1].request.paused is not None


@pytest.mark.parametrize("where", ["here", "at a worker"])
async def test_a_run_that_is_continued_as_a_stream_can_be_followed(world, where):
    record = await paused(world)
    assert not record.logged
    if where == "here":
        await collect(await world.intake.continue_here(asking(record.run_id, stream=True)))
    else:
        world.intake.enqueue_continuation(asking(record.run_id, background=True))
        await world.work()
    ended = world.store.get(record.run_id)
    assert ended.logged
    assert names(world.store.read(ended, after=-1)) == [
        "RunStarted",
        "RunContent",
        "RunContent",
        "RunCompleted",
        "RunCompleted",
    ]


async def test_a_follower_of_a_run_that_is_continued_without_a_stream_gets_its_end(world):
    record = await paused(world, stream=True)
    ended = await (await world.intake.continue_here(asking(record.run_id))).result()
    assert ended.record.logged
    *_, last = world.store.read(ended.record, after=record.next_index - 1)
    assert (last.event["event"], last.event["run_id"]) == ("RunCompleted", record.run_id)


@pytest.mark.parametrize("winner", ["here", "queued"])
async def test_of_two_callers_who_continue_a_run_one_wins(world, winner):
    record = await paused(world)
    if winner == "here":
        await (await world.intake.continue_here(asking(record.run_id))).result()
    else:
        world.intake.enqueue_continuation(asking(record.run_id))
    won = world.store.get(record.run_id)
    world.store.get = lambda run_id: record  # the other has read the run before
    with pytest.raises(Conflict):
        await world.intake.continue_here(asking(record.run_id))
    with pytest.raises(Conflict):
        world.intake.enqueue_continuation(asking(record.run_id))
    del world.store.get
    assert world.store.get(record.run_id) == won


async def test_a_cancel_of_a_paused_run_and_a_continuation_exclude_each_other(world):
    record = await paused(world)
    assert world.cancel(record.run_id).status is RunStatus.CANCELLED
    with pytest.raises(Conflict, match="run is cancelled"):
        await world.intake.continue_here(asking(record.run_id))


async def test_decisions_that_do_not_fit_leave_the_run_paused(world):
    record = await paused(world)
    with pytest.raises(InvalidRequest):
        await world.intake.continue_here(asking(record.run_id, continuation=Continuation()))
    assert world.store.get(record.run_id) == record


async def test_a_run_that_is_not_paused_or_unknown_cannot_be_continued(world):
    ended = await world.run()
    with pytest.raises(Conflict, match="run is already completed"):
        await world.intake.continue_here(asking(ended.record.run_id))
    with pytest.raises(NotFound):
        await world.intake.continue_here(asking("unknown"))
    record = await paused(world, user_id="alice")
    with pytest.raises(NotFound):
        world.intake.enqueue_continuation(asking(record.run_id, caller=Caller("bob")))


async def test_a_run_that_paused_again_can_be_continued_again(world):
    record = await paused(world, stream=True)
    world.engine.script["status"] = RunStatus.PAUSED
    execution = await world.intake.continue_here(asking(record.run_id, stream=True))
    assert names(await collect(execution))[-1] == "RunPaused"
    world.engine.script["status"] = RunStatus.COMPLETED
    ended = await (await world.intake.continue_here(asking(record.run_id, stream=True))).result()
    assert (ended.record.status, ended.record.attempt) == (RunStatus.COMPLETED, 3)
