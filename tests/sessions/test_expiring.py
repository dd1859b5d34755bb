"""What becomes of sessions that expire, of what runs in them, and of those that take their place."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import Conflict, NotFound
from agentos_lambda.sessions.expiry import SETTLED_AFTER_MS, SessionExpiry
from agentos_lambda.sessions.model import Deletion, SessionFilter
from agentos_lambda.stores.memory import MemoryStore
from agentos_lambda.stores.retention import DAY_MS, Retention
from tests.clocks import ManualClock
from tests.runs.world import World, component
from tests.sessions.test_death_while_deleting import Death, Life, Mortal
from tests.sessions.test_deleting import Sessions

pytestmark = pytest.mark.anyio

WEEK_MS = 7 * DAY_MS


@pytest.fixture
def sessions():
    return expiring_sessions()


def expiring_sessions():
    clock = ManualClock()
    world = World(store=MemoryStore(retention=Retention(sessions_days=7), clock=clock), clock=clock)
    return Sessions(world)


def sweep(sessions):
    """What the sweeper does, and the worker after it."""
    clock = sessions.world.clock
    removed = SessionExpiry(sessions.world.store, sessions.world.queue, clock).sweep(until=clock.now() + 10_000)
    sessions.work()
    return removed


async def test_an_expired_session_is_swept_with_all_that_it_held(sessions):
    ended = await sessions.world.run(session_id="talk", stream=True)
    sessions.world.clock.advance(WEEK_MS)
    assert sweep(sessions) == 0
    sessions.world.clock.advance(SETTLED_AFTER_MS + 1)
    assert sweep(sessions) == 1
    assert sessions.is_gone()
    assert sessions.world.store.get(ended.record.run_id) is None
    assert sessions.world.store.count(SessionFilter()) == 0
    assert sweep(sessions) == 0


async def test_an_expired_session_is_hidden_before_it_is_swept(sessions):
    await sessions.world.run(session_id="talk")
    sessions.world.clock.advance(WEEK_MS + 1)
    with pytest.raises(NotFound):
        sessions.service.get("talk")
    with pytest.raises(NotFound):
        sessions.world.runs.list(component(), "talk")


async def test_a_session_that_is_written_to_is_swept_later(sessions):
    sessions.create()
    sessions.world.clock.advance(WEEK_MS // 2)
    await sessions.world.run(session_id="talk")
    sessions.world.clock.advance(WEEK_MS // 2 + 60_000)
    assert sweep(sessions) == 0
    assert sessions.service.get("talk")
    sessions.world.clock.advance(WEEK_MS // 2)
    assert sweep(sessions) == 1


async def test_a_run_under_way_keeps_its_session(sessions):
    sessions.create(name="Ships")
    sessions.world.clock.advance(WEEK_MS - 1)
    waiting = sessions.world.enqueue(session_id="talk")
    sessions.world.clock.advance(SETTLED_AFTER_MS + 2)
    assert sweep(sessions) == 0
    assert (await sessions.world.work()).record.run_id == waiting.run_id
    found = sessions.service.get("talk")
    assert (found.name, [run.run_id for run in found.runs]) == ("Ships", [waiting.run_id])


async def test_a_run_in_an_expired_session_begins_a_new_one(sessions):
    await sessions.world.run(session_id="talk", user_id="alice")
    sessions.world.clock.advance(WEEK_MS + SETTLED_AFTER_MS + 1)
    later = await sessions.world.run(session_id="talk", user_id="bob")
    assert sessions.world.engine.runs[-1].request.session is None
    sessions.work()
    found = sessions.world.store.whole("talk")
    assert (found.user_id, [run.run_id for run in found.runs]) == ("bob", [later.record.run_id])
    assert sessions.world.store.count(SessionFilter(user_id="alice")) == 0
    assert sessions.world.store.count(SessionFilter(user_id="bob")) == 1


async def test_a_session_is_created_in_the_place_of_an_expired_one(sessions):
    sessions.create(user_id="alice")
    with pytest.raises(Conflict):
        sessions.create(user_id="bob")
    sessions.world.clock.advance(WEEK_MS + SETTLED_AFTER_MS + 1)
    sessions.create(user_id="bob")
    sessions.work()
    assert sessions.service.get("talk").user_id == "bob"


async def test_an_expired_session_can_be_deleted(sessions):
    await sessions.world.run(session_id="talk")
    sessions.world.clock.advance(WEEK_MS + 1)
    sessions.service.delete("talk")
    sessions.work()
    assert sessions.is_gone()
    assert sessions.world.store.count(SessionFilter()) == 0


async def test_a_late_message_does_not_delete_a_session_that_lives_on(sessions):
    """Its process died before it had deleted the session, and a run has come to its end in it since."""
    await sessions.world.run(session_id="talk")
    expires_at = sessions.world.store.find("talk").expires_at
    sessions.world.clock.advance(WEEK_MS // 2)
    await sessions.world.run(session_id="talk")
    sessions.world.queue.send_deletion(Deletion("talk", expires_at, media=True, expired=True))
    sessions.work()
    assert len(sessions.service.get("talk").runs) == 2


@pytest.mark.parametrize("applies", [False, True])
async def test_a_sweep_finishes_wherever_its_process_dies(applies):
    for last in count(1):
        sessions = expiring_sessions()
        world = sessions.world
        await world.run(session_id="talk")
        world.engine.script["status"] = RunStatus.PAUSED
        await world.run(session_id="talk")
        world.clock.advance(WEEK_MS + SETTLED_AFTER_MS + 1)
        life = Life(last, applies=applies)
        mortal: Any = Mortal(world.store, life)
        try:
            SessionExpiry(mortal, Mortal(world.queue, life), world.clock).sweep(until=world.clock.now() + 1)
        except Death:
            sweep(sessions)  # the next one
        else:
            break
        assert sessions.is_gone()
        assert world.store.records() == []
        assert world.store.count(SessionFilter()) == 0
    assert last == 5  # it finds the session and no active runs, sends the message, and puts the note in its place
