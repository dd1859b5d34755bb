"""Runs that are longer than a function may take: each executor hands the run over, and the next one carries it on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.endings import COMPONENT_CHANGED, EXECUTION_LOST, NEVER_CARRIED_ON, EndingMaker
from agentos_lambda.runs.errors import ClaimLost, NotFound, StoreUnavailable
from agentos_lambda.runs.memories import Memory, MemoryChange
from agentos_lambda.runs.model import Continuation, Media, RunInput, SessionDelta
from agentos_lambda.runs.observer import Unobserved
from agentos_lambda.runs.slices import RUN_TOO_LONG, STEP_TOO_LONG, Slicing
from agentos_lambda.runs.tail import tail
from agentos_lambda.runs.timing import LEASE_MS, MAX_WAIT_MS, RESEND_AFTER_MS
from agentos_lambda.runs.usage import Usage, day_of
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.slicing import (
    FUNCTION_MS,
    SLICE_MS,
    begun,
    handed_over,
    slice_over,
    sliced_world,
    until_held,
    work_a_slice,
    work_to_the_end,
    work_until_held,
)
from tests.runs.world import World, at_once, collect, component, names

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> World:
    return sliced_world()


async def test_a_run_in_slices_is_counted_once_with_what_all_of_them_have_used(world):
    run = await handed_over(world, user_id="ada")
    day = day_of(run.record.accepted_at)
    await work_a_slice(world)
    assert list(world.store.used_on(day, None)) == []
    await work_to_the_end(world)
    [counted] = world.store.used_on(day, "ada")
    assert counted.usage == Usage(3 * 20, 3 * 2, 2 * SLICE_MS)


async def test_a_run_goes_through_five_slices_as_one_run(world):
    first = await handed_over(world)
    run_id = first.record.run_id
    for number in range(2, 5):
        carried = await work_a_slice(world)
        assert (carried.record.status, carried.record.slices, carried.record.attempt) == (
            RunStatus.PENDING,
            number,
            number,
        )
    ended = await work_to_the_end(world)
    assert (ended.record.run_id, ended.record.status, ended.record.attempt) == (run_id, RunStatus.COMPLETED, 5)
    assert ended.output.run["content"] == "Hello world" * 5
    log = world.store.read(ended.record, after=-1)
    assert [event.index for event in log] == list(range(len(log)))
    said = [event.event["event"] for event in log]
    assert (said.count("RunStarted"), said[-1]) == (1, "RunCompleted")
    assert [event.event["run_id"] for event in log if event.event["event"] == "RunCompleted"][-1] == run_id
    assert not world.queue.waiting


async def test_a_run_between_two_slices_is_shown_as_running(world):
    record = (await handed_over(world)).record
    assert record.status is RunStatus.PENDING
    assert world.runs.get(component(), record.run_id).show()["status"] == "RUNNING"


async def test_a_foreground_stream_is_told_that_the_run_goes_on(world):
    execution = await handed_over(world)
    assert execution.handed_over
    own = [each.event["event"] for each in await collect(execution) if each.event["run_id"] == execution.record.run_id]
    assert own == ["RunStarted", "RunContent", "RunContent"]


async def test_a_run_that_was_not_streamed_has_a_log_from_its_hand_over_on(world):
    execution = await handed_over(world, stream=False)
    result = await execution.result()
    assert result.output.run["content"] == "Hello world"
    ended = await work_to_the_end(world)
    assert names(world.store.read(ended.record, after=-1))[:2] == ["RunStarted", "RunContent"]


async def test_a_slice_begins_with_all_that_the_one_before_has_left(world):
    world.engine.script["session"] = SessionDelta({"state:mood": "glad"}, frozenset({"state:old"}))
    memory = Memory("alice", "m", "likes tea", 1, 1, "revision")
    world.engine.script["memories"] = (MemoryChange("alice", "m", None, memory),)
    first = await handed_over(world, user_id="alice")
    await work_to_the_end(world)
    carried = world.engine.runs[-1].request.carried
    assert carried.work == world.engine.runs[0].request.work
    assert carried.session == world.engine.script["session"]
    assert carried.memories == world.engine.script["memories"]
    assert carried.state == {"slices": 1}
    assert carried.until == first.record.accepted_at + Slicing().longest_run_ms


async def test_nothing_of_a_slice_is_committed_before_the_run_ends(world):
    world.engine.script["session"] = SessionDelta({"state:mood": "glad"})
    memory = Memory("alice", "m", "likes tea", 1, 1, "revision")
    world.engine.script["memories"] = (MemoryChange("alice", "m", None, memory),)
    await handed_over(world, user_id="alice")
    assert world.store.find("s") is None
    assert not world.store.memories_of("alice")
    await work_to_the_end(world)
    assert world.store.memories_of("alice") == [memory]


async def test_the_files_of_a_request_reach_every_slice(world):
    work = RunInput("look", media=(Media("image", content=b"\x00\xff", mime_type="image/png"),))
    world.engine.script["hold"] = True
    record = world.intake.enqueue(StartRun(component(), work, background=True))
    await work_a_slice(world)
    await work_to_the_end(world)
    assert [run.request.work for run in world.engine.runs] == [work, work]
    assert record.run_id == world.engine.runs[-1].request.run_id


async def test_a_cancel_between_two_slices_keeps_the_text_and_ends_the_run_for_good(world):
    world.engine.script["session"] = SessionDelta({"state:mood": "glad"})
    memory = Memory("alice", "m", "likes tea", 1, 1, "revision")
    world.engine.script["memories"] = (MemoryChange("alice", "m", None, memory),)
    record = (await handed_over(world, user_id="alice")).record
    world.cancel(record.run_id)
    view = world.runs.get(component(), record.run_id)
    assert (view.record.status, view.output.run["content"]) == (RunStatus.CANCELLED, "Hello world")
    assert world.store.whole("s").fields == {"state:mood": "glad"}  # as a run that is cancelled while it executes
    assert not world.store.memories_of("alice")
    assert await world.work() is None
    assert len(world.engine.runs) == 1
    ends = world.store.read(view.record, after=-1)[-2:]
    assert names(ends) == ["RunCancelled", "RunCompleted"]
    assert {indexed.event["content"] for indexed in ends} == {"Hello world"}


async def test_a_cancel_that_comes_before_the_hand_over_wins(world):
    execution = await begun(world, stream=True, session_id="s")
    world.store.flag_cancel(execution.record, now=world.clock.now())
    world.engine.runs[-1].hand_over()
    result = await execution.result()
    assert (result.record.status, result.output.run["content"]) == (RunStatus.CANCELLED, "Hello world")
    assert not world.queue.waiting
    assert names(await collect(execution))[-2:] == ["RunCancelled", "RunCompleted"]


async def test_a_slice_that_has_lost_its_claim_leaves_nothing(world):
    execution = await begun(world, stream=True, session_id="s")
    record = execution.record
    now = world.clock.now() + LEASE_MS + 1
    world.store.claim(record.run_id, executor="another", lease_until=now + LEASE_MS, expired_before=now)
    before = world.store.get(record.run_id)
    world.engine.runs[-1].hand_over()
    await execution.result()
    assert world.store.get(record.run_id) == before
    assert world.store.work(record) is None
    assert not execution.handed_over
    assert not world.queue.waiting


async def test_the_message_of_a_slice_that_comes_twice_executes_once(world):
    await handed_over(world)
    world.queue.waiting.append(world.queue.waiting[0])
    await work_to_the_end(world)
    assert await world.work() is None
    assert len(world.engine.runs) == 2


async def test_a_message_that_was_lost_between_two_slices_is_sent_again(world):
    world.queue.down = True
    record = (await handed_over(world)).record
    world.queue.down = False
    world.clock.advance(RESEND_AFTER_MS * 2)
    assert world.sweeper.sweep().sent_again == 1
    assert list(world.queue.waiting) == [record.run_id]
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED


async def test_a_run_that_nobody_carries_on_ends_with_what_it_has(world):
    record = (await handed_over(world)).record
    world.queue.waiting.clear()
    world.clock.advance(MAX_WAIT_MS + 120_000)
    assert world.sweeper.sweep().never_started == 1
    view = world.runs.get(component(), record.run_id)
    assert (view.record.status, view.record.error) == (RunStatus.ERROR, NEVER_CARRIED_ON)
    assert view.output.run["input"] == "hi"


async def test_a_run_whose_later_executor_dies_ends_as_lost(world):
    record = (await handed_over(world)).record
    world.store.claim(record.run_id, executor="dies", lease_until=world.clock.now() + LEASE_MS, expired_before=0)
    world.clock.advance(LEASE_MS * 5)
    assert world.sweeper.sweep().lost == 1
    view = world.runs.get(component(), record.run_id)
    assert (view.record.error, view.output.run["input"]) == (EXECUTION_LOST, "hi")
    assert len(world.engine.runs) == 1


@pytest.mark.parametrize("end", ["cancel", "death", "time"])
async def test_a_run_ends_though_this_version_cannot_read_what_another_has_carried(world, end):
    record = (await handed_over(world)).record
    claimed = world.store.claim(record.run_id, executor="newer", lease_until=world.clock.now(), expired_before=0)
    world.store.checkpoint(claimed, sequence=1, work={"carried": {"work": {"input": {"since": 2}, "media": []}}})
    if end != "death":
        carried = EndingMaker(world.clock, world.new_id).revived(claimed, world.store.work(claimed))
        record = world.store.commit(carried)
    if end == "cancel":
        assert world.cancel(record.run_id).status is RunStatus.CANCELLED
        return
    world.clock.advance(LEASE_MS * 5 if end == "death" else MAX_WAIT_MS)
    world.sweeper.sweep()
    error = EXECUTION_LOST if end == "death" else NEVER_CARRIED_ON
    assert world.store.get(record.run_id).error == error


async def test_a_step_that_is_longer_than_a_slice_ends_the_run_with_a_sentence_that_says_so(world):
    world.engine.script["safe_points"] = 0
    execution = await begun(world, stream=True)
    await slice_over(world)
    world.clock.advance(FUNCTION_MS - SLICE_MS)
    world.supervisors[-1].tick()
    result = await execution.result()
    assert (result.record.status, result.record.error) == (RunStatus.ERROR, STEP_TOO_LONG)


async def test_a_run_has_a_limited_number_of_slices(world):
    world = sliced_world(Slicing(slice_ms=SLICE_MS, max_slices=2))
    await handed_over(world)
    working = await work_until_held(world, deadline=world.clock.now() + FUNCTION_MS)
    await slice_over(world)
    assert not world.engine.runs[-1].handed_over
    world.clock.advance(FUNCTION_MS)
    world.supervisors[-1].tick()
    assert (await working).record.error == RUN_TOO_LONG


async def test_a_run_takes_no_longer_than_the_longest_run_may(world):
    slicing = Slicing(slice_ms=SLICE_MS, longest_run_ms=FUNCTION_MS + 10_000)
    world = sliced_world(slicing)
    await handed_over(world)
    working = await work_until_held(world, deadline=world.clock.now() + FUNCTION_MS)
    world.clock.advance(FUNCTION_MS + 10_000 - SLICE_MS)
    world.supervisors[-1].tick()
    assert (await working).record.error == RUN_TOO_LONG


async def test_a_follower_sees_one_run_and_waits_through_the_pause(world):
    record = (await handed_over(world)).record
    snapshots = tail(world.store, world.clock, record.run_id, after=-1, pause=at_once)
    got = list((await anext(snapshots)).events)
    assert (await anext(snapshots)).record.status.active  # nobody executes the run at the moment
    ended = await work_to_the_end(world)
    async for snapshot in snapshots:
        got += snapshot.events
    assert got == list(world.store.read(ended.record, after=-1))
    assert [event.index for event in got] == list(range(len(got)))


async def test_a_component_that_a_deployment_has_removed_ends_the_run_with_what_it_has(world):
    await handed_over(world)
    world.engine.refuses = NotFound("Agent not found")
    ended = await world.work()
    assert (ended.record.status, ended.record.error) == (RunStatus.ERROR, COMPONENT_CHANGED)
    assert ended.output.run["content"] == "Hello world"


async def test_a_run_may_pause_in_a_later_slice_and_be_continued_in_slices(world):
    await handed_over(world)
    world.engine.script["status"] = RunStatus.PAUSED
    paused = await work_to_the_end(world)
    assert paused.record.status is RunStatus.PAUSED
    world.engine.script |= {"hold": True, "status": RunStatus.COMPLETED}
    decisions = Continuation(tools=({"tool_call_id": "c", "confirmed": True},))
    command = ContinueRun(component(), paused.record.run_id, decisions, stream=True)
    command = replace(command, deadline=world.clock.now() + FUNCTION_MS)
    execution = await world.intake.continue_here(command)
    assert execution.record.slices == 0
    await until_held(world, 2)
    await slice_over(world)
    await execution.result()
    ended = await work_to_the_end(world)
    assert (ended.record.status, ended.record.slices) == (RunStatus.COMPLETED, 1)
    assert world.engine.runs[-1].request.carried.work == decisions


async def test_a_hand_over_whose_answer_is_lost_is_made_once(world):
    execution = await begun(world, stream=True)
    commit, lost = world.store.commit, []

    def losing(ending):
        record = commit(ending)
        if not lost:
            lost.append(ending)
            raise StoreUnavailable("no answer")
        return record

    world.store.commit = losing
    await slice_over(world)
    record = (await execution.result()).record
    assert (record.slices, list(world.queue.waiting)) == (1, [record.run_id])


async def test_slices_count_as_one_run_that_was_started(world):
    class Started(Unobserved):
        runs = 0

        def started(self, record):
            self.runs += 1

    observer = Started()
    world = sliced_world(observer=observer)
    await handed_over(world)
    await work_to_the_end(world)
    assert observer.runs == 1


async def test_a_run_that_was_handed_over_cannot_be_continued_as_if_it_were_paused(world):
    record = (await handed_over(world)).record
    with pytest.raises(ClaimLost):
        world.store.reopen(record, executor="x", now=world.clock.now(), lease_until=None)


async def test_without_a_queue_no_run_is_cut(world):
    world = World(supervisor=HandDrivenSupervisor)
    execution = await begun(world)
    world.clock.advance(SLICE_MS)
    world.supervisors[-1].tick()
    assert not world.engine.runs[-1].handed_over
    world.engine.runs[-1].release()
    assert (await execution.result()).record.status is RunStatus.COMPLETED
