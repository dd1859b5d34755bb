"""How a run's events reach its followers, while it executes and when it ends."""

import asyncio

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import EventPack, IndexedEvent
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import CLOCK_SKEW_MS, DUE_STEP_MS, LEASE_MS
from agentos_lambda.sessions.removal import SessionRemoval
from agentos_lambda.sessions.service import SessionService
from agentos_lambda.websocket.ports import Refused, Slow
from tests.stores.builders import ending, running
from tests.websocket.world import WORKFLOW, SteppedPool, slow

pytestmark = pytest.mark.anyio

ALL = ["WorkflowStarted", "WorkflowContent", "WorkflowContent", "RunCompleted", "WorkflowCompleted"]


def claimed(world, connection_id="c-1"):
    """A run that this connection has started, and an executor has claimed."""
    run_id = world.start(connection_id)
    return world.store.claim(run_id, executor="e", lease_until=world.clock.now() + LEASE_MS, expired_before=0)


def delta(index, content="x"):
    return IndexedEvent(index, {"event": "RunContent", "run_id": "r", "content": content})


def step(index):
    return IndexedEvent(index, {"event": "StepStarted", "run_id": "r"})


def commit(world, record, *events):
    """End the run as its executor does, with what it has not logged."""
    first = events[0].index if events else record.next_index
    pack = EventPack(first, (*(indexed.event for indexed in events), {"event": "WorkflowCompleted", "run_id": "r"}))
    return world.store.commit(
        ending(record, token="the-end", last_events=pack, sealed_at=pack.last_index, status=RunStatus.COMPLETED)
    )


async def test_a_client_gets_the_run_that_it_started_from_the_first_event_to_the_last(world):
    world.connect()
    world.start()
    await world.work()
    assert world.posts.names() == ALL
    assert world.posts.indexes() == [0, 1, 2, 3, 4]
    assert all(text.startswith("event: ") for text in world.posts.messages["c-1"])
    assert world.is_clean()


async def test_the_first_event_names_the_run(world):
    world.connect()
    run_id = world.start(session_id="s-1", user_id="alice")
    await world.work()
    assert world.posts.got()[0]["run_id"] == run_id
    assert (world.store.get(run_id).session_id, world.store.get(run_id).user_id) == ("s-1", "alice")


@pytest.mark.parametrize(("sent", "given"), [({"message": {"a": 1}}, {"a": 1}), ({"message": None}, "")])
async def test_a_message_may_be_an_object_or_missing(world, sent, given):
    world.connect()
    world.start(**sent)
    await world.work()
    assert world.engine.runs[0].request.work.message == given


async def test_a_client_does_not_choose_the_run_id(world):
    world.connect()
    assert world.start(run_id="mine") != "mine"


async def test_runs_of_one_connection_are_distinguished_by_their_ids(world):
    world.connect()
    first, second = world.start(), world.start()
    await asyncio.gather(world.work(), world.work())
    for run_id in (first, second):
        of_run = [message["event_index"] for message in world.posts.got() if message["run_id"] == run_id]
        assert of_run == sorted(of_run)
        assert set(of_run) >= {0, 1, 2, 4}


async def test_two_connections_follow_one_run(world):
    world.connect()
    world.connect("c-2")
    run_id = world.start()
    world.reconnect(run_id, "c-2")
    await world.work()
    assert world.posts.indexes("c-1") == world.posts.indexes("c-2") == [0, 1, 2, 3, 4]
    assert world.is_clean("c-1")
    assert world.is_clean("c-2")


async def test_the_end_is_sent_only_after_the_commit(world):
    world.connect()
    run_id = world.start()
    seen = []

    def look(_connection_id, text):
        if "WorkflowCompleted" in text:
            seen.append(world.store.get(run_id).status)

    world.posts.before = look
    await world.work()
    assert seen == [RunStatus.COMPLETED]


async def test_an_ending_that_cannot_be_stored_is_not_sent(world):
    world.connect()
    world.start()

    def down(*_args):
        raise StoreUnavailable("down")

    world.store.commit = down
    with pytest.raises(StoreUnavailable):
        await world.work()
    assert "WorkflowCompleted" not in world.posts.names()


async def test_a_closed_connection_is_dropped_and_the_run_continues(world):
    world.connect()
    run_id = world.start()
    world.posts.gone.add("c-1")
    await world.work()
    assert world.store.get(run_id).status is RunStatus.COMPLETED
    assert world.posts.got() == []
    assert world.is_clean()


async def test_a_connection_that_refuses_is_dropped_and_the_run_continues(world):
    world.connect()
    run_id = world.start()
    world.posts.fails["c-1"] = [Refused("403")]
    await world.work()
    assert world.store.get(run_id).status is RunStatus.COMPLETED
    assert world.is_clean()


async def test_a_slow_connection_gets_everything_in_the_end(world):
    world.connect()
    world.start()
    world.posts.fails["c-1"] = slow(3)
    await world.work()
    assert world.posts.indexes() == [0, 1, 2, 3, 4]


async def test_a_connection_that_stays_slow_does_not_hold_up_the_run(world):
    world.connect()
    run_id = world.start()
    world.posts.fails["c-1"] = slow(100)
    await world.work()
    assert world.store.get(run_id).status is RunStatus.COMPLETED
    assert world.is_clean()


async def test_a_follower_store_that_does_not_answer_harms_no_run(world):
    world.connect()
    run_id = world.start()

    def down(*_args):
        raise StoreUnavailable("down")

    world.followers.of_run = down
    await world.work()
    assert world.store.get(run_id).status is RunStatus.COMPLETED


async def test_a_run_of_an_agent_has_no_feed(world):
    record = world.store.accept(running())
    assert world.fan_out.begin(record, holds_lease=lambda: True) is None


def test_one_message_at_a_time_is_on_its_way_to_a_connection(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    for index in range(5):
        live.publish(step(index))
        assert len(pool.waiting) == 1
    pool.steps()
    assert world.posts.indexes() == [0, 1, 2, 3, 4]


def test_text_that_piles_up_behind_a_message_is_merged(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    live.publish(step(0))
    for index in range(1, 101):
        live.publish(delta(index))
    pool.step()
    pool.step()
    assert [(message["event_index"], message.get("content")) for message in world.posts.got()] == [
        (0, None),
        (100, "x" * 100),
    ]
    assert not pool.waiting


def test_a_message_that_may_have_arrived_is_posted_again_unchanged(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    live.publish(delta(0, "a"))
    world.posts.fails["c-1"] = slow()
    pool.step()
    live.publish(delta(1, "b"))
    assert not pool.waiting
    world.clock.advance(1000)
    live.refresh()
    live.release_text()
    pool.steps()
    assert [message["content"] for message in world.posts.got()] == ["a", "b"]


def test_the_pauses_for_a_slow_connection_grow(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    world.posts.fails["c-1"] = slow(10)
    live.publish(step(0))
    pool.steps()
    tried_at = [0]
    for second in range(1, 20):
        world.clock.advance(1000)
        live.refresh()
        if pool.waiting:
            tried_at.append(second)
            pool.steps()
    assert tried_at[:5] == [0, 1, 2, 4, 8]


def test_nothing_is_posted_while_the_lease_is_not_held(world):
    world.connect()
    pool, held = SteppedPool(), []
    live = world.live(claimed(world), pool, lambda: bool(held))
    live.refresh()
    live.publish(step(0))
    pool.steps()
    assert world.posts.got() == []
    held.append(True)
    world.clock.advance(1000)
    live.refresh()
    pool.steps()
    assert world.posts.indexes() == [0]


def test_a_closed_connection_gets_nothing_more(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    live.publish(step(0))
    pool.steps()
    world.event("DISCONNECT", "c-1")
    live.refresh()
    live.publish(step(1))
    assert not pool.waiting
    assert world.is_clean()


def test_a_connection_that_closes_while_a_message_is_on_its_way_gets_nothing_more(world):
    world.connect()
    pool = SteppedPool()
    live = world.live(claimed(world), pool)
    live.refresh()
    live.publish(step(0))
    live.publish(step(1))
    world.event("DISCONNECT", "c-1")
    live.refresh()
    pool.steps()
    assert world.posts.indexes() == [0]


def test_what_was_not_posted_before_the_end_is_posted_after_it(world):
    world.connect()
    record = claimed(world)
    live = world.live(record, SteppedPool())
    live.refresh()
    events = [step(0), delta(1), delta(2)]
    live.end(commit(world, record, *events))
    assert world.posts.indexes() == [0, 2, 3]
    assert world.is_clean()


def test_what_nobody_expected_of_one_follower_keeps_the_end_from_no_other_and_is_logged(world, caplog):
    def before(connection_id, _text):
        if connection_id == "c-1":
            raise ZeroDivisionError

    for connection_id in ("c-1", "c-2"):
        world.connect(connection_id)
    record = claimed(world)
    world.reconnect(record.run_id, "c-2")
    world.posts.messages.clear()
    world.posts.before = before
    world.fan_out.ended(commit(world, record, step(0)))
    assert world.posts.names("c-2") == ["StepStarted", "WorkflowCompleted"]
    assert "the end could not be sent to a follower" in caplog.messages


def test_what_was_posted_before_the_end_is_not_posted_again(world):
    world.connect()
    record = claimed(world)
    pool = SteppedPool()
    live = world.live(record, pool)
    live.refresh()
    events = [step(0), step(1), step(2)]
    for indexed in events[:2]:
        live.publish(indexed)
        pool.steps()
    live.end(commit(world, record, *events))
    assert world.posts.indexes() == [0, 1, 2, 3]


def test_a_message_that_may_have_arrived_is_posted_unchanged_after_the_end(world):
    world.connect()
    record = claimed(world)
    pool = SteppedPool()
    live = world.live(record, pool)
    live.refresh()
    events = [step(0), delta(1, "a"), delta(2, "b"), delta(3, "c"), delta(4, "d")]
    for indexed in events[:1]:
        live.publish(indexed)
        pool.steps()
    world.posts.fails["c-1"] = slow()
    for indexed in events[1:3]:
        live.publish(indexed)  # the second has to wait for the first, which may have arrived
        pool.steps()
    live.end(commit(world, record, *events))
    assert [(message["event_index"], message.get("content")) for message in world.posts.got()] == [
        (0, None),
        (1, "a"),
        (4, "bcd"),
        (5, None),
    ]


def test_an_executor_that_lost_its_run_sends_no_end(world):
    world.connect()
    record = claimed(world)
    live = world.live(record, SteppedPool())
    live.refresh()
    live.end(world.store.get(record.run_id))
    assert world.posts.got() == []
    assert not world.is_clean()


def posts_and_dies(world, record, *events):
    """The executor sends these to the run's followers, and does nothing more."""
    pool = SteppedPool()
    live = world.live(record, pool)
    live.refresh()
    for indexed in events:
        live.publish(indexed)
    pool.steps()


def sweep_dead(world, record):
    """The executor of the run has died; the sweeper comes, and a worker takes its message."""
    world.queue.waiting.clear()
    world.clock.advance(LEASE_MS + CLOCK_SKEW_MS + DUE_STEP_MS)
    assert world.sweeper.sweep().lost == 1
    assert list(world.queue.waiting) == [record.run_id]


async def test_a_client_of_an_executor_that_died_gets_the_end_and_nothing_twice(world):
    world.connect()
    record = claimed(world)
    posts_and_dies(world, record, step(0), step(1), step(2))
    world.store.append(record.run_id, 1, EventPack(0, (step(0).event, step(1).event)))
    sweep_dead(world, record)
    assert await world.work() is None
    assert world.posts.names() == ["StepStarted"] * 3 + ["WorkflowError"]
    assert world.posts.indexes()[:3] == [0, 1, 2]
    assert world.is_clean()


async def test_a_client_to_which_no_executor_has_sent_gets_the_whole_log_and_the_end(world):
    world.connect()
    record = claimed(world)
    world.store.append(record.run_id, 1, EventPack(0, (step(0).event, step(1).event)))
    sweep_dead(world, record)
    await world.work()
    assert world.posts.names() == ["StepStarted", "StepStarted", "WorkflowError"]


async def test_a_client_of_an_executor_that_dies_right_after_its_commit_gets_the_end_and_nothing_twice(world):
    world.connect()
    record = claimed(world)
    posts_and_dies(world, record, step(0), step(1))
    end = [{"event": name, "run_id": record.run_id} for name in ("WorkflowCancelled", "WorkflowCompleted")]
    pack = EventPack(0, (step(0).event, step(1).event, *end))
    world.store.commit(ending(record, last_events=pack, sealed_at=3, status=RunStatus.CANCELLED))
    assert await world.work() is None  # its message comes again
    assert world.posts.names() == ["StepStarted", "StepStarted", "WorkflowCancelled", "WorkflowCompleted"]
    assert world.is_clean()


async def test_the_client_of_a_run_that_is_swept_while_the_queue_is_down_gets_the_end_by_a_later_sweep(
    world, monkeypatch
):
    def down(_run_id):
        raise StoreUnavailable("the queue does not answer")

    world.connect()
    record = claimed(world)
    world.queue.waiting.clear()
    world.clock.advance(LEASE_MS + CLOCK_SKEW_MS + DUE_STEP_MS)
    with monkeypatch.context() as outage:
        outage.setattr(world.queue, "send", down)
        assert world.sweeper.sweep().lost == 1
    world.clock.advance(DUE_STEP_MS)
    for _ in range(2):
        assert world.sweeper.sweep() == Swept()
        assert list(world.queue.waiting) == [record.run_id]
    await world.work()
    assert world.posts.names() == ["WorkflowError"]
    assert world.is_clean()


def test_a_sweep_counts_a_run_as_lost_though_it_cannot_note_who_tells_its_followers(world, monkeypatch):
    def down(_record):
        raise StoreUnavailable("the store does not answer")

    world.connect()
    claimed(world)
    monkeypatch.setattr(world.store, "note_told", down)
    world.clock.advance(LEASE_MS + CLOCK_SKEW_MS + DUE_STEP_MS)
    assert world.sweeper.sweep() == Swept(lost=1)


async def test_the_client_of_a_run_that_never_reached_the_queue_and_is_cancelled_gets_the_end(world):
    world.connect()
    run_id = world.start()
    world.queue.waiting.clear()
    world.runs.cancel(WORKFLOW, run_id)
    world.clock.advance(DUE_STEP_MS)
    world.sweeper.sweep()
    assert list(world.queue.waiting) == [run_id]
    await world.work()
    assert world.posts.names() == ["WorkflowCancelled", "WorkflowCompleted"]
    assert world.is_clean()


async def test_the_client_of_a_run_that_is_cancelled_while_it_waits_gets_the_end(world):
    world.connect()
    run_id = world.start()
    world.runs.cancel(WORKFLOW, run_id)
    await world.work()
    assert world.posts.names() == ["WorkflowCancelled", "WorkflowCompleted"]
    assert world.is_clean()


async def test_the_client_of_a_run_whose_session_is_deleted_while_it_waits_gets_the_end(world):
    world.connect()
    run_id = world.start(session_id="talk")
    SessionService(world.store, world.queue, world.clock, new_id=world.new_id).delete("talk")
    removal = SessionRemoval(world.store, world.runs, world.catalog, world.queue, world.clock, fan_out=world.fan_out)
    while world.queue.deletions:
        removal.step(world.queue.deletions.popleft())
        world.clock.advance(10_000)
    assert world.store.get(run_id) is None
    assert world.posts.names() == ["WorkflowCancelled", "WorkflowCompleted"]
    assert world.is_clean()


async def test_cancelling_a_waiting_run_over_the_socket_sends_the_end_at_once(world):
    world.connect()
    run_id = world.start()
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": run_id})
    assert world.posts.names() == ["WorkflowCancelled", "WorkflowCompleted", "cancelling"]
    assert world.posts.got()[-1] == {
        "event": "cancelling",
        "run_id": run_id,
        "status": "CANCELLED",
        "cancel_requested": True,
    }
    await world.work()
    assert len(world.posts.got()) == 3


async def test_cancelling_a_running_run_over_the_socket_flags_it(world):
    world.connect()
    record = claimed(world)
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": record.run_id})
    assert world.posts.got() == [
        {"event": "cancelling", "run_id": record.run_id, "status": "RUNNING", "cancel_requested": True}
    ]
    assert world.store.get(record.run_id).cancel_requested


def test_a_cancel_that_comes_right_after_the_end_leaves_the_rest_to_the_executor(world):
    world.connect()
    record, pool = claimed(world), SteppedPool()
    feed = world.live(record, pool)
    feed.refresh()
    feed.publish(step(0))
    ended = commit(world, record, step(0))
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": record.run_id})
    pool.steps()
    feed.end(ended)
    assert world.posts.names() == ["cancelling", "StepStarted", "WorkflowCompleted"]
    assert world.is_clean()


async def test_cancelling_a_completed_run_changes_nothing(world):
    world.connect()
    run_id = world.start()
    await world.work()
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": run_id})
    assert world.posts.got()[-1]["cancel_requested"] is False
    assert world.store.get(run_id).status is RunStatus.COMPLETED


async def paused(world):
    world.connect()
    world.engine.script["status"] = RunStatus.PAUSED
    run_id = world.start()
    await world.work()
    assert world.posts.names()[-1] == "WorkflowPaused"
    world.engine.script["status"] = RunStatus.COMPLETED
    world.engine.check = lambda *_: None
    return run_id


CONTINUE = {"action": "continue-workflow", "workflow_id": WORKFLOW.id, "step_requirements": [{"confirmed": True}]}


async def test_a_client_gets_a_continued_run_from_where_it_paused(world):
    run_id = await paused(world)
    assert world.is_clean()
    world.send({**CONTINUE, "run_id": run_id})
    await world.work()
    assert world.posts.indexes() == list(range(10))
    assert world.posts.names() == [*ALL[:-1], "WorkflowPaused", *ALL]
    assert world.engine.runs[-1].request.work.requirements == ({"confirmed": True},)
    assert world.is_clean()


async def test_a_client_whose_executor_died_right_after_the_pause_continues_the_run_on_its_connection(world):
    world.connect()
    record = claimed(world)
    posts_and_dies(world, record, step(0))
    pack = EventPack(0, (step(0).event, {"event": "WorkflowPaused", "run_id": record.run_id}))
    world.store.commit(ending(record, last_events=pack, sealed_at=1, status=RunStatus.PAUSED))
    world.reconnect(record.run_id, last_event_index=0)
    assert world.posts.names()[-1] == "WorkflowPaused"
    world.queue.waiting.clear()
    world.engine.check = lambda *_: None
    world.send({**CONTINUE, "run_id": record.run_id})
    await world.work()
    assert world.posts.names()[-1] == "WorkflowCompleted"
    assert world.is_clean()


async def test_a_run_that_is_not_paused_cannot_be_continued(world):
    world.connect()
    run_id = world.start()
    await world.work()
    world.send({**CONTINUE, "run_id": run_id})
    assert world.posts.got()[-1] == {"event": "error", "error": "Run is not paused (status=COMPLETED)"}
    assert world.is_clean()


async def test_decisions_that_do_not_fit_leave_the_run_paused_and_unfollowed(world):
    run_id = await paused(world)
    del world.engine.check
    world.send({**CONTINUE, "run_id": run_id})
    assert world.posts.got()[-1] == {"event": "error", "error": "tools are missing"}
    assert world.store.get(run_id).status is RunStatus.PAUSED
    assert world.is_clean()


async def test_a_late_delivery_of_a_pause_keeps_the_follower_of_the_continuation(world):
    run_id = await paused(world)
    at_pause = world.store.get(run_id)
    world.send({**CONTINUE, "run_id": run_id})
    world.fan_out.ended(at_pause)
    assert not world.is_clean()
    await world.work()
    assert world.posts.indexes() == list(range(10))


def test_slow_is_not_gone(world):
    world.connect()
    world.start()
    world.posts.fails["c-1"] = [Slow("500")]
    world.send({"action": "ping"})
    assert world.posts.names() == ["pong"]
    assert not world.is_clean()
