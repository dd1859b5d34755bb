"""Runs that a worker executes: each is accepted once, executed once, and ends whatever happens."""

import asyncio
import gc
import random

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.errors import Conflict, NotFound, QueueFull, StoreUnavailable
from agentos_lambda.runs.model import EventPack, IndexedEvent, Media, RunInput
from agentos_lambda.runs.observer import Unobserved
from agentos_lambda.runs.sweeper import Sweeper, Swept
from agentos_lambda.runs.timing import (
    CLOCK_SKEW_MS,
    DUE_STEP_MS,
    LEASE_MS,
    MAX_UNLOGGED_EVENTS,
    MAX_WAIT_MS,
)
from agentos_lambda.runs.work_json import work_from_json
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import OneOfEach, World, collect, component, names

pytestmark = pytest.mark.anyio


def request_for(component_id):
    return StartRun(component(component_id=component_id), RunInput("hi"), background=True)


def pack(*event_names):
    return EventPack(0, tuple({"event": name} for name in event_names))


async def test_a_queued_run_waits_for_a_worker_and_is_executed_by_it(world):
    record = world.enqueue("hello", session_id="s", user_id="alice")
    assert (record.status, list(world.queue.waiting)) == (RunStatus.PENDING, [record.run_id])
    ended = await world.work()
    assert ended.record.status is RunStatus.COMPLETED
    request = world.engine.runs[0].request
    assert (request.work.message, request.session_id, request.user_id) == ("hello", "s", "alice")


async def test_a_worker_keeps_no_unread_events(world):
    world.engine.script |= {"hold": True, "deltas": ["word "] * 50}
    record = world.enqueue(run_id="run-that-nobody-reads")
    working = asyncio.create_task(world.work())
    while not world.engine.runs:
        await asyncio.to_thread(lambda: None)
    await world.engine.runs[0].reached_hold.wait()
    kept = [each for each in gc.get_objects() if type(each) is IndexedEvent]  # a proxy would only look like one
    assert [each for each in kept if each.event.get("run_id") == record.run_id] == []
    world.engine.runs[0].release()
    ended = await working
    assert len(world.store.read(ended.record, after=-1)) == 53


async def test_the_same_message_twice_executes_once(world):
    world.enqueue()
    world.queue.waiting.append(world.queue.waiting[0])
    assert await world.work() is not None
    assert await world.work() is None
    assert len(world.engine.runs) == 1


async def test_a_message_that_arrives_while_the_run_executes_changes_nothing(world):
    record = world.enqueue()
    world.store.claim(record.run_id, executor="e", lease_until=world.clock.now() - 1, expired_before=0)
    assert await world.work() is None
    assert world.engine.runs == []


async def test_a_run_that_was_cancelled_while_it_waited_never_starts(world):
    record = world.enqueue()
    assert world.cancel(record.run_id).status is RunStatus.CANCELLED
    assert await world.work() is None
    assert world.engine.runs == []
    events = world.store.read(world.store.get(record.run_id), after=-1)
    assert names(events) == ["RunCancelled", "RunCompleted"]


async def test_a_worker_without_the_component_ends_the_run_as_an_error(world):
    record = world.intake.enqueue(request_for("taken-away"))
    world.engine.refuses = NotFound("Agent not found")
    ended = await world.work()
    assert (ended.record.run_id, ended.record.status) == (record.run_id, RunStatus.ERROR)


async def test_a_full_queue_takes_no_more_and_leaves_nothing():
    world = World(queue_limit=1)
    world.enqueue()
    with pytest.raises(QueueFull):
        world.enqueue(run_id="refused")
    assert world.store.get("refused") is None


async def test_a_full_queue_accepts_a_repeated_request():
    world = World(queue_limit=1)
    record = world.enqueue(idempotency_key="k")
    again = world.enqueue(idempotency_key="k")
    assert (again.run_id, again.token) == (record.run_id, record.token)
    for other in ({}, {"idempotency_key": "another"}, {"idempotency_key": "k", "message": "another"}):
        with pytest.raises(QueueFull):
            world.enqueue(**other)
    assert list(world.queue.waiting) == [record.run_id]


async def test_a_run_whose_executor_died_ends_as_lost_after_its_lease_and_the_margin(world):
    record = world.enqueue()
    claimed = world.store.claim(
        record.run_id, executor="dies", lease_until=world.clock.now() + LEASE_MS, expired_before=0
    )
    world.store.append(record.run_id, claimed.attempt, pack("RunStarted", "RunContent"))
    world.clock.advance(LEASE_MS + CLOCK_SKEW_MS)
    assert world.sweeper.sweep() == Swept()
    world.clock.advance(1)
    assert world.sweeper.sweep() == Swept(lost=1)  # the lease ended in the second half of a minute
    ended = world.store.get(record.run_id)
    assert (ended.status, ended.error, ended.attempt) == (RunStatus.ERROR, "execution lost", 2)
    events = world.store.read(ended, after=-1)
    assert names(events) == ["RunStarted", "RunContent", "RunError"]
    assert [event.index for event in events] == [0, 1, 2 + MAX_UNLOGGED_EVENTS]
    assert world.runs.get(component(), record.run_id).show()["content"] == "execution lost"


@pytest.mark.parametrize("died_at", range(0, 60_000, 7_000))
async def test_a_run_whose_executor_died_is_reported_within_two_minutes_and_a_quarter(died_at):
    for first_sweep_after in range(0, 60_000, 7_000):
        world = World()
        world.clock.advance(died_at)
        record = world.enqueue()
        lease_until = world.clock.now() + LEASE_MS
        world.store.claim(record.run_id, executor="dies", lease_until=lease_until, expired_before=0)
        died, swept = world.clock.now(), Swept()
        world.clock.advance(first_sweep_after)
        while not swept.lost:
            swept = world.sweeper.sweep()
            waited_ms = world.clock.now() - died
            world.clock.advance(60_000)
        assert LEASE_MS + CLOCK_SKEW_MS < waited_ms <= 135_000


async def test_a_lost_run_whose_cancel_was_acknowledged_ends_as_cancelled(world):
    record = world.enqueue()
    world.store.claim(record.run_id, executor="dies", lease_until=world.clock.now(), expired_before=0)
    assert world.cancel(record.run_id).cancel_requested
    world.clock.advance(DUE_STEP_MS)
    assert world.sweeper.sweep() == Swept(cancelled=1)
    assert world.store.get(record.run_id).status is RunStatus.CANCELLED


async def test_a_zombie_writes_nothing_after_the_sweep(world):
    world.supervisor = HandDrivenSupervisor
    execution = await world.held(stream=True)
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    assert world.sweeper.sweep() == Swept(lost=1)
    swept = world.store.get(execution.record.run_id)
    world.engine.runs[0].release()
    events = await collect(execution)
    assert events[-1].event["content"] == "execution lost"
    assert world.store.get(execution.record.run_id) == swept


async def test_every_run_is_swept_in_the_end_even_if_no_sweep_has_time_for_all(world):
    for _ in range(20):
        world.enqueue()
    dead = world.enqueue()
    world.store.claim(dead.run_id, executor="dies", lease_until=world.clock.now() - LEASE_MS, expired_before=0)
    world.clock.advance(2 * DUE_STEP_MS)
    get = world.store.get

    def slow_get(run_id):
        world.clock.advance(10)
        return get(run_id)

    world.store.get = slow_get
    observer = Unobserved()
    observer.unswept = (unswept := []).append
    sweeper = Sweeper(
        world.store,
        world.queue,
        OneOfEach(),
        world.clock,
        new_id=world.new_id,
        observer=observer,
        shuffle=random.Random(3).shuffle,  # noqa: S311 - an order
    )
    sweeps = [sweeper.sweep(until=world.clock.now() + 30) for _ in range(10)]
    assert sweeps[0].left == 18
    assert get(dead.run_id).error == "execution lost"
    assert (sweeps[-1], sum(swept.lost for swept in sweeps)) == (Swept(), 1)
    assert len(unswept) == sum(swept.left > 0 for swept in sweeps)  # an alarm if that goes on


async def test_a_sweeper_that_dies_between_its_claim_and_its_commit_is_followed_by_another(world):
    record = world.enqueue()
    world.store.claim(record.run_id, executor="dies", lease_until=world.clock.now(), expired_before=0)
    world.clock.advance(CLOCK_SKEW_MS + 1)
    now = world.clock.now()
    world.store.claim(record.run_id, executor="sweeper", lease_until=now + LEASE_MS, expired_before=now)
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    assert world.sweeper.sweep() == Swept(lost=1)
    assert world.store.get(record.run_id).attempt == 3


async def test_two_sweepers_at_once_end_a_run_once(world):
    record = world.enqueue()
    world.store.claim(record.run_id, executor="dies", lease_until=world.clock.now(), expired_before=0)
    world.clock.advance(DUE_STEP_MS)
    stale = world.store.get(record.run_id)
    assert world.sweeper.sweep() == Swept(lost=1)
    ended = world.store.get(record.run_id)
    world.store.get = lambda run_id, get=world.store.get: stale if run_id == record.run_id else get(run_id)
    world.store.due = lambda before: [[record.run_id]]
    assert world.sweeper.sweep() == Swept()
    del world.store.get
    assert world.store.get(record.run_id) == ended


async def test_healthy_runs_are_left_alone(world):
    execution = await world.held()
    world.enqueue()
    assert world.sweeper.sweep() == Swept()
    world.engine.runs[0].release()
    await execution.result()
    world.clock.advance(MAX_WAIT_MS)
    assert world.sweeper.sweep() == Swept(never_started=1)


async def test_the_same_key_and_request_is_the_same_run(world):
    first = await world.run(idempotency_key="k", user_id="alice")
    again = await world.execute(idempotency_key="k", user_id="alice")
    assert again == first.record
    other_user = await world.run(idempotency_key="k", user_id="bob")
    assert other_user.record.run_id != first.record.run_id
    queued = world.enqueue(idempotency_key="q")
    assert world.enqueue(idempotency_key="q").run_id == queued.run_id
    assert len(world.queue.waiting) == 1


async def test_a_conflict_says_whether_the_key_or_the_run_id_is_in_use(world):
    await world.run(idempotency_key="k")
    with pytest.raises(Conflict, match="Idempotency-Key was used with another request"):
        await world.execute("another", idempotency_key="k")
    await world.run(run_id="r")
    for request in ({"run_id": "r"}, {"run_id": "r", "idempotency_key": "k"}):
        with pytest.raises(Conflict, match="Run r already exists"):
            await world.execute("another", **request)


async def test_the_work_of_a_queued_run_survives_as_it_was(world):
    given = RunInput(
        {"a": 1},
        (
            Media("image", b"\x00\xff", mime_type="image/png"),
            Media("file", url="https://example.com", details={"name": "report"}),
        ),
        session_state={"b": 2},
        knowledge_filters=[{"c": 3}],
    )
    record = world.intake.enqueue(StartRun(component(Kind.TEAM, "research-team"), given, background=True))
    assert work_from_json(world.store.work(record)) == given


async def test_a_message_is_delivered_again_if_its_worker_cannot_reach_the_store(world):
    world.enqueue()

    def down(*args, **kwargs):
        raise StoreUnavailable("down")

    world.store.claim = down
    with pytest.raises(StoreUnavailable):
        await world.work()
    del world.store.claim
    world.queue.waiting.append("id-1")
    assert (await world.work()).record.status is RunStatus.COMPLETED


@pytest.mark.parametrize("call", ["claim", "work", "load"])
@pytest.mark.parametrize(("times", "survives"), [(3, True), (4, False)])
async def test_a_worker_asks_a_store_again_that_does_not_answer_before_it_gives_a_run_up(
    world, monkeypatch, call, times, survives
):
    run_id = world.enqueue().run_id
    method, answers = getattr(world.store, call), iter([False] * times)

    def does_not_answer(*args, **options):
        done = method(*args, **options)
        if next(answers, True):
            return done
        raise StoreUnavailable("down")

    monkeypatch.setattr(world.store, call, does_not_answer)
    if survives:
        assert (await world.work()).record.status is RunStatus.COMPLETED
    else:
        with pytest.raises(StoreUnavailable):
            await world.work()
    assert world.store.get(run_id).attempt == 1
