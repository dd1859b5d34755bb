"""How much a caller may run: runs in a month, and runs at once."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from datetime import UTC, datetime

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.errors import Conflict, LimitReached, NotFound, StoreUnavailable
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.limiter import RETRY_AFTER_SECONDS
from agentos_lambda.runs.limits import PLACE_MS, Limits, limits_of
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.runs.timing import CLOCK_SKEW_MS, LEASE_MS
from tests.runs.world import World, component

pytestmark = pytest.mark.anyio

TWO_AT_ONCE, THREE_A_MONTH = Limits(runs_at_once=2), Limits(runs_per_month=3)


@pytest.fixture
def world() -> World:
    return World()


def places(world: World) -> int:
    return sum(len(counter.places) for counter in world.counters._counters.values())


async def refusal(world: World, limits: Limits, **request) -> LimitReached:
    with pytest.raises(LimitReached) as refused:
        await world.execute(limits=limits, user_id="ada", **request)
    return refused.value


async def test_nothing_is_asked_for_a_caller_without_limits(world, monkeypatch):
    for name in ("admit", "keep", "free"):
        monkeypatch.setattr(world.counters, name, lambda *_, **__: pytest.fail("a request for nothing"))
    assert (await world.run()).record.status is RunStatus.COMPLETED
    world.enqueue()
    assert (await world.work()).record.status is RunStatus.COMPLETED


async def test_as_many_runs_as_may_be_at_once_and_a_further_one_when_one_has_ended(world):
    first, second = [await world.held(limits=TWO_AT_ONCE, user_id="ada") for _ in range(2)]
    refused = await refusal(world, TWO_AT_ONCE)
    assert (str(refused), refused.retry_after_seconds) == ("The limit runs_at_once of 2 is reached", 5)
    await world.held(limits=TWO_AT_ONCE, user_id="eve")
    world.engine.runs[0].release()
    await first.result()
    await world.held(limits=TWO_AT_ONCE, user_id="ada")
    await refusal(world, TWO_AT_ONCE)
    world.engine.runs[1].release()
    assert (await second.result()).record.status is RunStatus.COMPLETED


async def test_as_many_runs_as_may_be_in_a_month_and_further_ones_in_the_next(world):
    for _ in range(3):
        await world.run(limits=THREE_A_MONTH, user_id="ada")
    refused = await refusal(world, THREE_A_MONTH)
    assert str(refused) == "The limit runs_per_month of 3 is reached"
    month = datetime.fromtimestamp(world.clock.now() / 1000, UTC).month
    world.clock.advance(refused.retry_after_seconds * 1000)
    now = datetime.fromtimestamp(world.clock.now() / 1000, UTC)
    assert (now.month, now.day, now.hour) == (month % 12 + 1, 1, 0)
    await world.run(limits=THREE_A_MONTH, user_id="ada")


@pytest.mark.parametrize(
    ("limits", "admitted"),
    [(Limits(runs_at_once=7), 7), (Limits(runs_per_month=7), 7), (Limits(40, 33), 33), (Limits(33, 40), 33)],
)
async def test_of_fifty_starts_at_the_same_time_none_too_many_is_admitted(world, limits, admitted):
    async def start(number: int) -> str:
        command = StartRun(component(), RunInput("hi"), user_id="ada", background=True, limits=limits)
        try:
            await asyncio.to_thread(world.intake.enqueue, command)
        except LimitReached:
            return "refused"
        return "admitted"

    outcomes = Counter(await asyncio.gather(*map(start, range(50))))
    assert outcomes == {"admitted": admitted, "refused": 50 - admitted}


@pytest.mark.parametrize("way", ["cancelled", "paused", "failed", "lost"])
async def test_a_place_is_free_again_however_its_run_ends(world, way):
    limits = Limits(runs_at_once=1)
    if way == "lost":
        record = world.enqueue(limits=limits, user_id="ada")
        until = world.clock.now() + LEASE_MS
        world.store.claim(record.run_id, executor="dies", lease_until=until, expired_before=0)
        world.clock.advance(LEASE_MS + CLOCK_SKEW_MS + 60_000)
        assert world.sweeper.sweep().lost == 1
    elif way == "cancelled":
        world.cancel(world.enqueue(limits=limits, user_id="ada").run_id)
    else:
        world.engine.script["status"] = RunStatus.PAUSED if way == "paused" else RunStatus.ERROR
        await world.run(limits=limits, user_id="ada")
    assert places(world) == 0
    await world.run(limits=limits, user_id="ada")


async def test_whoever_hears_of_the_end_of_a_run_may_start_another_one(world):
    limits = Limits(runs_at_once=1)
    execution = await world.execute(limits=limits, user_id="ada", stream=True)
    async for indexed in execution.events():
        if (indexed.event["event"], indexed.event["run_id"]) == ("RunCompleted", execution.record.run_id):
            world.enqueue(limits=limits, user_id="ada")
    assert len(world.queue.waiting) == 1


async def test_a_place_is_a_lease_that_no_crash_keeps(world):
    limits = Limits(runs_at_once=1)
    await world.held(limits=limits, user_id="ada")
    world.clock.advance(PLACE_MS - 1)
    await refusal(world, limits)
    world.clock.advance(1)
    await world.held(limits=limits, user_id="ada")


async def test_a_worker_keeps_the_place_of_a_run_that_has_waited_long(world):
    limits = Limits(runs_at_once=1)
    world.enqueue(limits=limits, user_id="ada")
    world.clock.advance(PLACE_MS - 1)
    world.engine.script["hold"] = True
    working = asyncio.create_task(world.work())
    while not world.engine.runs:
        await asyncio.to_thread(lambda: None)
    world.clock.advance(PLACE_MS - 1)
    await refusal(world, limits)
    world.engine.runs[0].release()
    await working
    assert places(world) == 0


async def test_a_run_that_goes_on_takes_its_place_again_and_is_no_other_run_of_the_month(world):
    limits = Limits(runs_per_month=2, runs_at_once=1)
    world.engine.script["status"] = RunStatus.PAUSED
    paused = await world.run(limits=limits, user_id="ada")
    world.engine.script["status"] = RunStatus.COMPLETED
    other = await world.held(limits=limits, user_id="ada")
    go_on = ContinueRun(component(), paused.record.run_id, Continuation(tools=()), limits=limits)
    with pytest.raises(LimitReached, match="runs_at_once"):
        await world.intake.continue_here(go_on)
    assert world.store.get(paused.record.run_id).status is RunStatus.PAUSED
    world.engine.runs[-1].release()
    await other.result()
    world.engine.script["hold"] = False
    await (await world.intake.continue_here(go_on)).result()
    assert places(world) == 0
    assert str(await refusal(world, limits)) == "The limit runs_per_month of 2 is reached"


@pytest.mark.parametrize("paused_ms", [PLACE_MS - 1, PLACE_MS])
async def test_a_run_that_goes_on_has_a_place_for_as_long_as_a_new_one(world, monkeypatch, paused_ms):
    """Also where its own was not given back when it paused."""
    limits = Limits(runs_at_once=1)
    world.engine.script["status"] = RunStatus.PAUSED
    with monkeypatch.context() as pausing:
        pausing.setattr(world.counters, "free", lambda *_: None)
        paused = (await world.run(limits=limits, user_id="ada")).record
    world.clock.advance(paused_ms)
    world.engine.script["hold"] = True
    go_on = ContinueRun(component(), paused.run_id, Continuation(tools=()), limits=limits)
    continued = await world.intake.continue_here(go_on)
    while len(world.engine.runs) == 1:
        await asyncio.to_thread(lambda: None)
    world.clock.advance(PLACE_MS - 1)
    await refusal(world, limits)
    world.engine.runs[-1].release()
    await continued.result()
    assert places(world) == 0


async def test_a_run_that_goes_on_takes_any_place_that_is_free(world):
    """Places are counted in two shards of 13: that of the paused run is full by then."""
    limits = Limits(runs_at_once=26)
    world.engine.script["status"] = RunStatus.PAUSED
    paused = [(await world.run(limits=limits, user_id="ada")).record for _ in range(2)]
    same = [each for each in map("run-{}".format, range(100)) if zlib.crc32(each.encode()) % 2 == paused[0].place]
    for run_id in same[:25]:
        world.enqueue(limits=limits, user_id="ada", run_id=run_id)
    go_on, refused = [
        ContinueRun(component(), each.run_id, Continuation(tools=()), limits=limits, background=True) for each in paused
    ]
    record = world.intake.enqueue_continuation(go_on)
    assert (record.place, places(world)) == (1 - paused[0].place, 26)
    with pytest.raises(LimitReached, match="runs_at_once of 26"):
        world.intake.enqueue_continuation(refused)
    world.cancel(record.run_id)
    assert places(world) == 25


@pytest.mark.parametrize("at_once", [2, None])
@pytest.mark.parametrize("sent", [1, 2])
async def test_what_is_not_accepted_does_not_count(world, monkeypatch, at_once, sent):
    """Also where its admission is sent a second time, since the first answer was lost."""
    limits, admit = Limits(runs_per_month=2, runs_at_once=at_once), world.counters.admit
    monkeypatch.setattr(world.counters, "admit", lambda *wanted: [admit(*wanted) for _ in range(sent)][-1])
    await world.run(limits=limits, user_id="ada", run_id="taken")
    await world.run(user_id="eve", session_id="of-eve")
    for _ in range(5):
        with pytest.raises(Conflict):
            await world.execute(limits=limits, user_id="ada", run_id="taken")
        with pytest.raises(NotFound):
            await world.execute(limits=limits, user_id="ada", session_id="of-eve")
    assert places(world) == 0
    await world.run(limits=limits, user_id="ada")


def test_a_run_of_which_nobody_knows_whether_it_was_accepted_counts_until_it_ends(world, monkeypatch):
    limits, accept = Limits(runs_per_month=2, runs_at_once=1), world.store.accept

    def unheard(record, *, work):
        accept(record, work=work)
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(world.store, "accept", unheard)
    with pytest.raises(StoreUnavailable):
        world.enqueue(limits=limits, user_id="ada", run_id="unheard")
    monkeypatch.undo()
    with pytest.raises(LimitReached, match="runs_at_once"):
        world.enqueue(limits=limits, user_id="ada")
    world.cancel("unheard")
    world.cancel(world.enqueue(limits=limits, user_id="ada").run_id)
    with pytest.raises(LimitReached, match="runs_per_month"):
        world.enqueue(limits=limits, user_id="ada")


async def test_a_repeated_request_is_one_run_while_it_runs_and_afterwards(world):
    limits = Limits(runs_per_month=2, runs_at_once=1)
    request = {"limits": limits, "user_id": "ada", "idempotency_key": "one"}
    execution = await world.held(**request)
    for _ in range(3):
        assert (await world.execute(**request)).run_id == execution.record.run_id
    assert places(world) == 1
    world.engine.runs[0].release()
    await execution.result()
    for _ in range(3):
        await world.execute(**request)
    assert places(world) == 0
    world.engine.script["hold"] = False
    await world.run(limits=limits, user_id="ada")


@pytest.mark.parametrize("limits", [Limits(runs_per_month=2), Limits(runs_at_once=1)])
async def test_a_repeated_request_is_answered_where_a_new_one_is_over_the_limit(world, limits):
    here, elsewhere = [{"limits": limits, "user_id": "ada", "idempotency_key": key} for key in ("here", "elsewhere")]
    first, second = await world.run(**here), world.enqueue(**elsewhere)
    await world.work()
    await world.held(limits=Limits(runs_at_once=1), user_id="ada")
    assert (await world.execute(**here)).run_id == first.record.run_id
    assert world.enqueue(**elsewhere).run_id == second.run_id
    await refusal(world, limits, idempotency_key="another")
    await refusal(world, limits, idempotency_key="here", session_id="another")


def test_a_place_that_may_be_free_soon_is_what_a_caller_waits_for(world):
    """Of two shards, one has no run of the month left, and the other no place."""
    limits = Limits(runs_per_month=28, runs_at_once=26)
    exhausted, full = [
        [run_id for run_id in map("run-{}".format, range(100)) if zlib.crc32(run_id.encode()) % 2 == shard]
        for shard in range(2)
    ]
    for run_id in exhausted[:14]:
        world.enqueue(limits=limits, user_id="ada", run_id=run_id)
        world.cancel(run_id)
    for run_id in full[:13]:
        world.enqueue(limits=limits, user_id="ada", run_id=run_id)
    for run_id in (exhausted[-1], full[-1]):
        with pytest.raises(LimitReached, match="runs_at_once of 26") as refused:
            world.enqueue(limits=limits, user_id="ada", run_id=run_id)
        assert refused.value.retry_after_seconds == RETRY_AFTER_SECONDS


async def test_without_counters_no_caller_with_limits_runs_anything(world):
    intake = RunIntake(
        world.store, world.queue, world.executor, world.clock, engine=lambda: world.engine, new_id=world.new_id
    )
    with pytest.raises(StoreUnavailable):
        intake.enqueue(StartRun(component(), RunInput("hi"), user_id="ada", background=True, limits=TWO_AT_ONCE))


@pytest.mark.parametrize("limits", [Limits(runs_at_once=many) for many in (1, 25, 26, 199, 1_000)])
def test_the_shards_of_a_limit_are_the_limit(limits):
    assert 1 <= limits.shards <= 8
    assert sum(limits.of_shard(shard).runs_at_once for shard in range(limits.shards)) == limits.runs_at_once


@pytest.mark.parametrize(
    "wrong", [[], "5", {"runs_per_day": 5}, {"runs_at_once": 0}, {"runs_at_once": True}, {"runs_per_month": 2.5}]
)
def test_what_is_no_limit_is_refused(wrong):
    with pytest.raises(ValueError, match=r"an object with|numbers from 1"):
        limits_of(wrong)


def test_no_limit_is_none():
    assert limits_of({}) is limits_of({"runs_at_once": None}) is None
    assert limits_of({"runs_at_once": 5}) == Limits(runs_at_once=5)
