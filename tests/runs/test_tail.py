"""Events for clients of a run that executes elsewhere: every one, once, in order."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import EventPack
from agentos_lambda.runs.tail import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, tail
from tests.runs.world import World, collect, names

pytestmark = pytest.mark.anyio


class Pauses:
    """Runs the next step at each pause between two snapshots."""

    def __init__(self, *steps) -> None:
        self.steps, self.seconds = list(steps), []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.steps:
            await self.steps.pop(0)()


async def tailed(world: World, run_id: str, *steps, after=-1, until=None):
    pauses = Pauses(*steps)
    snapshots = [each async for each in tail(world.store, world.clock, run_id, after=after, until=until, pause=pauses)]
    return snapshots, [event for snapshot in snapshots for event in snapshot.events], pauses.seconds


async def nothing():
    pass


async def test_a_tail_of_a_queued_run_gives_everything_until_its_end(world):
    record = world.enqueue()

    async def work():
        await world.work()

    snapshots, events, _ = await tailed(world, record.run_id, nothing, work)
    assert [snapshot.record.status for snapshot in snapshots][-1] is RunStatus.COMPLETED
    assert [event.index for event in events] == list(range(5))
    assert names(events)[-1] == "RunCompleted"


async def test_a_tail_that_begins_late_gives_only_what_was_missed(world):
    execution = await world.execute(stream=True)
    all_events = await collect(execution)
    _, events, _ = await tailed(world, execution.record.run_id, after=2)
    assert events == all_events[3:]


async def test_an_event_that_is_logged_between_two_snapshots_comes_once(world):
    record = world.enqueue()
    claimed = world.store.claim(record.run_id, executor="e", lease_until=2**60, expired_before=0)

    async def log_more(index=[0]):  # noqa: B006
        world.store.append(record.run_id, claimed.attempt, EventPack(index[0], ({"event": "RunContent"},) * 2))
        index[0] += 2

    until = world.clock.now() + 1

    async def stop():
        world.clock.advance(1)

    _, events, _ = await tailed(world, record.run_id, log_more, log_more, stop, until=until)
    assert [event.index for event in events] == [0, 1, 2, 3]


async def test_a_tail_takes_fewer_snapshots_while_nothing_happens(world):
    record = world.enqueue()

    async def stop():
        world.clock.advance(1)

    *_, seconds = await tailed(world, record.run_id, *[nothing] * 5, stop, until=world.clock.now() + 1)
    assert seconds[0] == FIRST_PAUSE_SECONDS
    assert seconds[-1] == MAX_PAUSE_SECONDS


async def test_a_tail_of_a_paused_run_ends_at_its_pause(world):
    world.engine.script["status"] = RunStatus.PAUSED
    execution = await world.execute(stream=True)
    await execution.result()
    snapshots, events, _ = await tailed(world, execution.record.run_id)
    assert (len(snapshots), names(events)[-1]) == (1, "RunPaused")


async def test_a_tail_of_an_unknown_run_is_empty(world):
    assert (await tailed(world, "unknown"))[0] == []
