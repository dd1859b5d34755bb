"""When runs that no worker takes are sent to the queue again: copies help a run whose message is lost, and no other."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import QueueFull, StoreUnavailable
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import DUE_STEP_MS, MAX_WAIT_MS, REPEAT_AFTER_MS, RESEND_AFTER_MS
from agentos_lambda.stores.memory import MemoryQueue
from tests.runs.world import World

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000


class AnswersAreLost(MemoryQueue):
    """A queue that takes messages, while ``silent`` without an answer. ``asked`` counts what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = True
        self.asked = 0

    def send(self, run_id: str) -> None:
        self.asked += 1
        super().send(run_id)
        if self.silent:
            raise StoreUnavailable("no answer")


def sweep_each_minute(world, minutes, *, lose_messages=False):
    """The minutes after which runs were sent again. With ``lose_messages``, no message stays in the queue."""
    sent_after = []
    for minute in range(1, minutes + 1):
        if lose_messages:
            world.queue.waiting.clear()
        world.clock.advance(MINUTE_MS)
        sent_after += [minute] * world.sweeper.sweep().sent_again
    return sent_after


async def test_a_send_that_failed_is_repeated_as_soon_as_the_queue_answers(world):
    world.queue.down = True
    record = world.enqueue()
    assert record.status is RunStatus.PENDING
    assert sweep_each_minute(world, 30) == []
    world.queue.down = False
    assert sweep_each_minute(world, 2) == [1]
    assert list(world.queue.waiting) == [record.run_id]
    assert (await world.work()).record.status is RunStatus.COMPLETED


async def test_a_send_is_not_repeated_within_a_minute(world):
    world.queue.down = True
    world.enqueue()
    world.queue.down = False
    world.clock.advance(RESEND_AFTER_MS - 1)
    assert world.sweeper.sweep() == Swept()
    world.clock.advance(1)
    assert world.sweeper.sweep() == Swept(sent_again=1)


async def test_a_send_whose_answer_was_lost_is_repeated_once(world):
    world = World(queue=AnswersAreLost())
    record = world.enqueue()
    world.queue.silent = False
    assert sweep_each_minute(world, 10) == [1]
    assert list(world.queue.waiting) == [record.run_id] * 2
    assert (await world.work()).record.status is RunStatus.COMPLETED
    assert await world.work() is None


async def test_a_run_whose_acknowledgement_could_not_be_noted_is_sent_once_more(world):
    def down(*args, **kwargs):
        raise StoreUnavailable("down")

    world.store.note_acknowledged = down
    record = world.enqueue()
    assert list(world.queue.waiting) == [record.run_id]
    del world.store.note_acknowledged
    assert sweep_each_minute(world, 10) == [1]


async def test_a_sweep_asks_a_queue_that_does_not_answer_only_once():
    world = World(queue=AnswersAreLost())
    for _ in range(5):
        world.enqueue()
    world.clock.advance(RESEND_AFTER_MS + DUE_STEP_MS)
    world.queue.asked = 0
    assert world.sweeper.sweep() == Swept()
    assert world.queue.asked == 1


async def test_a_queue_that_is_merely_slow_gets_no_copies_and_stays_open_to_new_runs():
    world = World(queue_limit=4)
    waiting = [world.enqueue().run_id for _ in range(3)]
    assert sweep_each_minute(world, MAX_WAIT_MS // MINUTE_MS - 1) == []
    assert list(world.queue.waiting) == waiting
    fourth = world.enqueue()
    with pytest.raises(QueueFull):
        world.enqueue()
    assert (await world.work()).record.run_id == waiting[0]
    assert list(world.queue.waiting) == [*waiting[1:], fourth.run_id]


async def test_while_a_run_waits_in_a_slow_queue_few_sweeps_look_at_it(world):
    world.enqueue()
    looked_at = []
    get = world.store.get
    world.store.get = lambda run_id: looked_at.append(world.clock.now()) or get(run_id)
    sweep_each_minute(world, MAX_WAIT_MS // MINUTE_MS - 1)
    assert len(looked_at) <= 2 * (2 + MAX_WAIT_MS // MINUTE_MS // 60)


async def test_a_run_whose_message_was_lost_is_sent_after_the_visibility_timeout_and_then_hourly(world):
    world.enqueue()
    assert sweep_each_minute(world, MAX_WAIT_MS // MINUTE_MS, lose_messages=True) == [15, 75, 135, 195, 255, 315]


async def test_a_repeat_that_is_not_acknowledged_is_repeated_after_a_minute():
    world = World(queue=AnswersAreLost())
    world.queue.silent = False
    world.enqueue()
    world.queue.waiting.clear()
    world.queue.silent = True
    world.clock.advance(REPEAT_AFTER_MS)
    assert world.sweeper.sweep() == Swept()
    world.queue.silent = False
    assert sweep_each_minute(world, 10) == [1]


async def test_a_run_that_no_worker_took_in_time_ends_as_never_started(world):
    record = world.enqueue()
    world.clock.advance(MAX_WAIT_MS - MINUTE_MS)
    assert world.sweeper.sweep() == Swept()
    world.clock.advance(MINUTE_MS)
    assert world.sweeper.sweep() == Swept(never_started=1)
    ended = world.store.get(record.run_id)
    assert (ended.status, ended.error) == (RunStatus.ERROR, "never started")


async def test_a_continuation_that_was_not_sent_is_sent_like_a_start(world):
    world.engine.script["status"] = RunStatus.PAUSED
    paused = await world.run(session_id="s")
    world.store.reopen(paused.record, executor="e", now=world.clock.now(), lease_until=None, work={"tools": []})
    assert sweep_each_minute(world, 4) == [2]
