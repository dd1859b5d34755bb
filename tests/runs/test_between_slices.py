"""What happens to a run while nobody executes it: its place, its user, its keys, its clocks, its end."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.events import cancel_reason
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.errors import Conflict, LimitReached, NotFound
from agentos_lambda.runs.limits import PLACE_MS, Limits
from agentos_lambda.runs.slices import RUN_TOO_LONG, Slicing
from agentos_lambda.runs.timing import RENEWAL_INTERVAL_MS, RESEND_AFTER_MS
from agentos_lambda.runs.usage import Usage, day_of
from tests.runs.slicing import (
    FUNCTION_MS,
    SLICE_MS,
    begun,
    begun_durable,
    die,
    durable,
    handed_over,
    slice_over,
    sliced_world,
    work_to_the_end,
    work_until_held,
)
from tests.runs.world import World, component

pytestmark = pytest.mark.anyio

ONE_AT_ONCE = Limits(runs_at_once=1)


@pytest.fixture
def world() -> World:
    return sliced_world()


async def between(world, **request):
    """A run that a first function has handed over, and its id."""
    return (await handed_over(world, **request)).record


async def revived(world, *, safe_points=1, **request):
    """A durable run whose executor has died, and that waits for the next one."""
    execution = await begun_durable(world, safe_points=safe_points, **request)
    assert (await die(world, execution.task)).revived == 1
    return execution.record


WAYS = pytest.mark.parametrize("comes_between", [between, revived])


@WAYS
async def test_a_run_has_its_place_for_as_long_as_a_new_one_while_it_waits_for_its_next_executor(world, comes_between):
    await comes_between(world, limits=ONE_AT_ONCE, user_id="ada")
    world.clock.advance(PLACE_MS - 1)
    with pytest.raises(LimitReached):
        await world.execute(limits=ONE_AT_ONCE, user_id="ada")
    await work_to_the_end(world)
    await world.run(limits=ONE_AT_ONCE, user_id="ada")


@WAYS
@pytest.mark.parametrize("end", ["completed", "cancelled", "paused"])
async def test_a_place_is_free_once_a_run_of_several_executors_has_come_to_rest(world, comes_between, end):
    record = await comes_between(world, limits=ONE_AT_ONCE, user_id="ada")
    if end == "cancelled":
        world.cancel(record.run_id)
    else:
        world.engine.script["status"] = RunStatus(end.upper())
        await work_to_the_end(world)
    world.engine.script |= {"hold": True, "status": RunStatus.COMPLETED}
    await world.held(limits=ONE_AT_ONCE, user_id="ada")
    with pytest.raises(LimitReached):
        await world.execute(limits=ONE_AT_ONCE, user_id="ada")


@WAYS
async def test_a_run_that_waits_is_its_users_alone(world, comes_between):
    record = await comes_between(world, user_id="ada")
    for caller in (Caller("eve"), Caller("eve", isolated=True), Caller(None, isolated=True)):
        for ask in (world.runs.get, world.runs.cancel):
            with pytest.raises(NotFound):
                ask(component(), record.run_id, caller=caller)
    ada = Caller("ada", isolated=True)
    assert world.runs.get(component(), record.run_id, caller=ada).show()["status"] == "RUNNING"
    await work_to_the_end(world)
    assert world.engine.runs[-1].request.user_id == "ada"


@WAYS
async def test_a_repeated_key_finds_the_run_that_waits(world, comes_between):
    request = {"user_id": "ada", "session_id": "s", "idempotency_key": "one"}
    of = durable() if comes_between is revived else component()
    record = await comes_between(world, **request)
    started = len(world.engine.runs)
    again = await world.execute(of=of, stream=True, **request)
    assert (again.run_id, again.shown_status) == (record.run_id, RunStatus.RUNNING)
    with pytest.raises(Conflict):
        await world.execute("another message", of=of, stream=True, **request)
    assert (len(world.engine.runs), len(world.queue.waiting)) == (started, 1)
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED
    assert (await world.execute(of=of, stream=True, **request)).status is RunStatus.COMPLETED


async def test_a_durable_run_that_is_cancelled_after_a_death_keeps_its_text_and_never_runs_again(world):
    record = await revived(world)
    world.cancel(record.run_id)
    view = world.runs.get(component(), record.run_id)
    assert (view.record.status, view.output.run["content"]) == (RunStatus.CANCELLED, "Hello world")
    executed = len(world.engine.runs)
    assert await world.work() is None
    assert len(world.engine.runs) == executed


async def test_a_durable_run_that_died_before_its_first_checkpoint_is_cancelled_with_what_its_record_says(world):
    record = await revived(world, safe_points=0)
    world.cancel(record.run_id)
    run = world.runs.get(component(), record.run_id).output.run
    assert (run["run_id"], run["status"], run["content"]) == (
        record.run_id,
        "CANCELLED",
        cancel_reason(record.run_id),
    )


async def test_a_durable_run_is_one_run_in_the_bill_with_what_was_used_twice(world):
    execution = await begun_durable(world, safe_points=1, user_id="ada")
    world.clock.advance(RENEWAL_INTERVAL_MS)
    world.supervisors[-1].tick()
    assert (await die(world, execution.task)).revived == 1
    day = day_of(execution.record.accepted_at)
    assert list(world.store.used_on(day, None)) == []
    await work_to_the_end(world)
    [counted] = world.store.used_on(day, "ada")
    assert counted.usage == Usage(3 * 20, 3 * 2, RENEWAL_INTERVAL_MS)  # the second piece twice


async def test_what_an_executor_used_after_its_last_renewal_dies_with_it(world):
    record = await revived(world, user_id="ada")
    await work_to_the_end(world)
    [counted] = world.store.used_on(day_of(record.accepted_at), "ada")
    assert counted.usage == Usage(20, 2, 0)


async def test_the_message_of_a_run_whose_sweeper_died_before_it_sent_it_is_sent_later(world):
    execution = await begun_durable(world, safe_points=1)
    world.queue.down = True
    await die(world, execution.task)
    assert not world.queue.waiting
    world.queue.down = False
    world.clock.advance(2 * RESEND_AFTER_MS)
    assert world.sweeper.sweep().sent_again == 1
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED


@WAYS
async def test_messages_that_come_twice_at_the_same_time_are_one_execution(world, comes_between):
    record = await comes_between(world)
    executed = len(world.engine.runs)
    world.queue.waiting.append(record.run_id)
    working = await work_until_held(world)
    assert await world.work() is None
    world.engine.runs[-1].release()
    assert (await working).record.status is RunStatus.COMPLETED
    assert len(world.engine.runs) == executed + 1


def checkpoints_take(world, ms):
    checkpoint = world.store.checkpoint

    def slow(record, **options):
        checkpoint(record, **options)
        world.clock.advance(ms)
        world.supervisors[-1].tick()

    world.store.checkpoint = slow


async def test_a_slice_whose_clock_is_set_back_is_over_when_its_time_has_passed(world):
    execution = await begun(world, stream=True)
    world.clock.jump(-3_600_000)
    await slice_over(world)
    assert (await execution.result()).record.status is RunStatus.PENDING
    assert (await work_to_the_end(world)).record.status is RunStatus.COMPLETED


async def test_a_deadline_that_comes_during_the_last_checkpoint_keeps_what_the_checkpoint_has():
    world = sliced_world(Slicing(max_slices=1))
    checkpoints_take(world, FUNCTION_MS)
    world.engine.script |= {"hold": True, "safe_points": 1, "deltas": ("once",)}
    execution = await world.execute(of=durable(), session_id="s", deadline=world.clock.now() + FUNCTION_MS)
    ended = await execution.result()
    assert (ended.record.status, ended.record.error) == (RunStatus.ERROR, RUN_TOO_LONG)
    assert ended.output.run["content"].startswith("once")
    assert world.engine.runs[-1].cancelled


async def test_a_function_that_is_over_during_a_checkpoint_begins_nothing_further(world):
    checkpoints_take(world, SLICE_MS)
    world.engine.script |= {"hold": True, "safe_points": 9}
    execution = await world.execute(of=durable(), session_id="s", deadline=world.clock.now() + FUNCTION_MS)
    record = (await execution.result()).record
    assert (record.status, record.slices, len(world.engine.runs)) == (RunStatus.PENDING, 1, 1)


async def test_the_slices_of_a_durable_run_are_limited_however_often_it_dies(world):
    world = sliced_world(Slicing(slice_ms=SLICE_MS, max_slices=3))
    await handed_over(world, of=durable())
    working = await work_until_held(world, deadline=world.clock.now() + FUNCTION_MS)
    assert (await die(world, working)).revived == 1
    working = await work_until_held(world, deadline=world.clock.now() + FUNCTION_MS)
    await slice_over(world)
    assert not working.done(), "nobody may carry it on"
    world.clock.advance(FUNCTION_MS)
    world.supervisors[-1].tick()
    assert (await working).record.error == RUN_TOO_LONG
