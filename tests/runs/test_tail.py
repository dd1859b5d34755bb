"""Events for those who do not execute the run: every one, once, in order."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import EventPack
from agentos_lambda.runs.tail import FIRST_PAUSE, LONGEST_PAUSE, follow
from tests.runs.world import World, collect, names

pytestmark = pytest.mark.anyio


class Pauses:
    """Runs the next of the steps at each pause of the follower."""

    def __init__(self, *steps) -> None:
        self.steps, self.seconds = list(steps), []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.steps:
            await self.steps.pop(0)()


async def followed(world: World, run_id: str, *steps, after=-1, until=None):
    pauses = Pauses(*steps)
    looks = [look async for look in follow(world.store, world.clock, run_id, after=after, until=until, pause=pauses)]
    return looks, [event for look in looks for event in look.events], pauses.seconds


async def nothing():
    pass


async def test_a_follower_of_a_queued_run_gets_everything_until_its_end(world):
    record = world.enqueue()

    async def work():
        await world.work()

    looks, events, _ = await followed(world, record.run_id, nothing, work)
    assert [look.record.status for look in looks][-1] is RunStatus.COMPLETED
    assert [event.index for event in events] == list(range(5))
    assert names(events)[-1] == "RunCompleted"


async def test_a_follower_that_joins_late_gets_only_what_it_misses(world):
    execution = await world.execute(stream=True)
    all_events = await collect(execution)
    _, events, _ = await followed(world, execution.record.run_id, after=2)
    assert events == all_events[3:]


async def test_an_event_that_is_logged_between_two_looks_comes_once(world):
    record = world.enqueue()
    claimed = world.store.claim(record.run_id, executor="e", lease_until=2**60, expired_before=0)

    async def log_more(index=[0]):  # noqa: B006
        world.store.append(record.run_id, claimed.attempt, EventPack(index[0], ({"event": "RunContent"},) * 2))
        index[0] += 2

    until = world.clock.now() + 1

    async def stop():
        world.clock.advance(1)

    _, events, _ = await followed(world, record.run_id, log_more, log_more, stop, until=until)
    assert [event.index for event in events] == [0, 1, 2, 3]


async def test_a_follower_looks_less_often_while_nothing_happens(world):
    record = world.enqueue()

    async def stop():
        world.clock.advance(1)

    *_, seconds = await followed(world, record.run_id, *[nothing] * 5, stop, until=world.clock.now() + 1)
    assert seconds[0] == FIRST_PAUSE
    assert seconds[-1] == LONGEST_PAUSE


async def test_a_paused_run_is_followed_to_its_pause(world):
    world.engine.script["status"] = RunStatus.PAUSED
    execution = await world.execute(stream=True)
    await execution.ended()
    looks, events, _ = await followed(world, execution.record.run_id)
    assert (len(looks), names(events)[-1]) == (1, "RunPaused")


async def test_an_unknown_run_has_nothing_to_follow(world):
    assert (await followed(world, "unknown"))[0] == []
