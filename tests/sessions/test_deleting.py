"""What becomes of a session that is deleted, and of its runs."""

from __future__ import annotations

import asyncio

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.sessions.messages import deletion_message, deletion_of
from agentos_lambda.sessions.model import Deletion, SessionFilter
from agentos_lambda.sessions.removal import RUNS_A_STEP, SETTLED_AFTER_MS, SessionRemoval
from agentos_lambda.sessions.service import SessionService
from tests.runs.slicing import begun_durable, die
from tests.runs.world import OneOfEach, World


class Sessions:
    """Requests about sessions in a world of runs, and the worker that removes what was deleted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.service = SessionService(world.store, world.queue, world.clock, new_id=world.new_id)
        self.removal = SessionRemoval(world.store, world.runs, OneOfEach(), world.queue, world.clock)

    def create(self, session_id="talk", **fields):
        return self.service.create(Kind.AGENT, session_id=session_id, fields={}, **fields)

    def step(self):
        """What a worker does with the next deletion."""
        self.removal.step(self.world.queue.deletions.popleft())

    def work(self):
        """Everything that is to be done for deletions, while time goes by."""
        while self.world.queue.deletions:
            self.step()
            self.world.clock.advance(10_000)

    def is_gone(self, session_id="talk"):
        store = self.world.store
        return store.whole(session_id) is None and store.buried_runs(session_id, until=2**50, limit=9) == []


pytestmark = pytest.mark.anyio


@pytest.fixture
def sessions():
    return Sessions(World())


async def test_everything_that_a_session_held_is_removed(sessions):
    ended = await sessions.world.run(session_id="talk", stream=True)
    sessions.service.delete("talk")
    assert sessions.world.store.find("talk") is None
    sessions.work()
    assert sessions.is_gone()
    assert sessions.world.store.get(ended.record.run_id) is None
    assert list(sessions.world.store.read(ended.record, after=-1)) == []


async def test_what_still_runs_is_cancelled_and_then_removed(sessions):
    await sessions.world.run(session_id="talk")
    held = await sessions.world.held(session_id="talk")
    waiting = sessions.world.enqueue(session_id="talk")
    sessions.service.delete("talk")
    for _ in range(2):  # the first names them in the message
        await asyncio.to_thread(sessions.step)
    assert sessions.world.store.get(held.record.run_id).cancel_requested
    assert sessions.world.store.get(waiting.run_id) is None
    sessions.world.engine.runs[-1].release()
    assert (await held.result()).record.status is RunStatus.CANCELLED
    sessions.work()
    assert sessions.is_gone()
    assert sessions.world.store.get(held.record.run_id) is None


async def test_the_first_run_of_a_session_is_cancelled_with_it(sessions):
    waiting = sessions.world.enqueue(session_id="talk")
    sessions.service.delete("talk")
    sessions.work()
    assert sessions.world.store.get(waiting.run_id) is None
    assert sessions.world.store.find("talk") is None


async def test_a_run_that_was_accepted_later_is_left_alone(sessions):
    await sessions.world.run(session_id="talk")
    sessions.service.delete("talk")
    later = await sessions.world.run(session_id="talk")
    sessions.work()
    [kept] = sessions.world.store.whole("talk").runs
    assert kept.run_id == later.record.run_id
    assert sessions.world.store.count(SessionFilter()) == 1


async def test_a_deletion_whose_process_died_is_carried_out(sessions):
    """It had sent the message, and had no time for more."""
    ended = await sessions.world.run(session_id="talk")
    sessions.world.queue.send_deletion(Deletion("talk", sessions.world.clock.now()))
    sessions.work()
    assert sessions.is_gone()
    assert sessions.world.store.get(ended.record.run_id) is None


async def test_every_step_may_come_twice(sessions):
    ended = await sessions.world.run(session_id="talk")
    sessions.service.delete("talk")
    queue = sessions.world.queue
    while queue.deletions:
        deletion = queue.deletions.popleft()
        sessions.removal.step(deletion)
        following = list(queue.deletions)
        sessions.removal.step(deletion)
        queue.deletions.clear()
        queue.deletions.extend(following)
        sessions.world.clock.advance(10_000)
    assert sessions.is_gone()
    assert sessions.world.store.get(ended.record.run_id) is None


def test_a_step_that_comes_again_leaves_a_run_alone_that_has_the_id_of_a_removed_one(sessions):
    sessions.world.enqueue(session_id="talk", run_id="repeated")
    sessions.service.delete("talk")
    sessions.step()
    [step] = sessions.world.queue.deletions
    sessions.work()
    again = sessions.world.enqueue(session_id="talk", run_id="repeated")
    sessions.removal.step(step)
    there = sessions.world.store.get("repeated")
    assert (there.token, there.status) == (again.token, RunStatus.PENDING)


async def test_nothing_is_deleted_that_the_queue_has_not_taken(sessions):
    await sessions.world.run(session_id="talk")
    sessions.world.queue.down = True
    with pytest.raises(StoreUnavailable):
        sessions.service.delete("talk")
    assert sessions.world.store.find("talk") is not None


async def test_a_step_removes_a_bounded_number_of_runs(sessions):
    for _ in range(RUNS_A_STEP + 1):
        await sessions.world.run(session_id="talk")
    sessions.service.delete("talk")
    sessions.step()
    assert len(sessions.world.store.buried_runs("talk", until=2**50, limit=9)) == 1
    sessions.work()
    assert sessions.is_gone()


async def test_the_last_step_comes_when_no_run_can_be_late(sessions):
    await sessions.world.run(session_id="talk")
    sessions.service.delete("talk")
    sessions.step()
    sessions.world.clock.advance(SETTLED_AFTER_MS)
    sessions.step()
    assert not sessions.world.queue.deletions


def test_deleting_what_is_not_there_changes_nothing(sessions):
    sessions.service.delete("talk")
    sessions.service.delete("talk", caller=Caller("alice"))
    assert not sessions.world.queue.deletions


def test_another_users_session_is_left_alone(sessions):
    sessions.create(user_id="bob")
    sessions.service.delete("talk", caller=Caller("alice"))
    assert sessions.world.store.find("talk") is not None
    sessions.service.delete("talk", caller=Caller("bob"))
    assert sessions.world.store.find("talk") is None


@pytest.mark.parametrize("deletion", [Deletion("talk", 1), Deletion("ü", 2, media=True, cancelled=("a", "b"))])
def test_a_deletion_is_read_from_its_message(deletion):
    assert deletion_of(deletion_message(deletion)) == deletion


def test_the_id_of_a_run_is_no_deletion():
    assert deletion_of("0b2d5ffd-9dd4-4c7c-8c1a-6f3f7a2f34c6") is None


async def test_a_run_that_waits_between_two_slices_is_cancelled_and_removed(sessions):
    world = sessions.world
    execution = await world.held(session_id="talk", stream=True)
    world.engine.runs[-1].hand_over()
    record = (await execution.result()).record
    sessions.service.delete("talk")
    sessions.work()
    assert sessions.is_gone()
    assert world.store.get(record.run_id) is None
    assert await world.work() is None  # its message needs nobody any more
    assert len(world.engine.runs) == 1


@pytest.mark.parametrize("dies_first", [True, False])
async def test_a_durable_run_of_a_deleted_session_is_cancelled_and_removed_whenever_its_executor_dies(
    sessions, dies_first
):
    world = sessions.world
    execution = await begun_durable(world, safe_points=1, session_id="talk")
    sessions.service.delete("talk")
    for _ in range(0 if dies_first else 2):  # the first names the run in the message
        sessions.step()
    swept = await die(world, execution.task)
    assert (swept.revived, swept.cancelled) == (dies_first, not dies_first)
    sessions.work()
    assert sessions.is_gone()
    assert world.store.get(execution.record.run_id) is None
    assert len(world.engine.runs) == 2
