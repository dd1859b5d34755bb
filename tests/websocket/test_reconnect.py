"""A client that comes back to a run gets every event it has missed, once and in order, then what happens."""

import asyncio
import itertools

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import ContinueRun
from agentos_lambda.runs.model import Continuation, EventPack
from tests.stores.builders import ending, running
from tests.websocket.test_feed import ALL, claimed, commit, delta, step, sweep_dead
from tests.websocket.world import WORKFLOW, SteppedPool, World, slow

pytestmark = pytest.mark.anyio


def append(world, record, *events):
    pack = EventPack(events[0].index, tuple(indexed.event for indexed in events))
    world.store.append(record.run_id, record.attempt, pack)


def test_before_the_first_event_there_is_nothing_to_catch_up_with(world):
    world.connect("c-1")
    world.connect("c-2")
    record = claimed(world)
    world.reconnect(record.run_id, "c-2")
    assert world.posts.got("c-2") == [
        {
            "event": "subscribed",
            "run_id": record.run_id,
            "status": "running",
            "current_event_count": 0,
            "message": "Subscribed to workflow run. You will receive new events as they occur.",
        }
    ]


def test_in_the_middle_the_missed_events_come_first_then_the_live_ones(world):
    world.connect("c-1")
    world.connect("c-2")
    record = claimed(world)
    pool = SteppedPool()
    live = world.live(record, pool)
    events = [step(0), delta(1), delta(2), step(3)]
    for indexed in events:
        live.publish(indexed)
    append(world, record, *events)
    world.reconnect(record.run_id, "c-2", last_event_index=0, workflow_id=WORKFLOW.id)
    assert world.posts.names("c-2") == ["catch_up", "RunContent", "StepStarted", "subscribed"]
    caught_up, text = world.posts.got("c-2")[:2]
    assert (caught_up["missed_events"], caught_up["current_event_count"]) == (3, 4)
    assert (text["event_index"], text["content"]) == (2, "xx")
    live.refresh()
    live.publish(step(4))
    pool.steps()
    live.end(commit(world, record, step(4)))
    assert world.posts.indexes("c-2") == [2, 3, 4, 5]
    assert all(text.startswith("{") for text in world.posts.messages["c-2"])
    assert world.is_clean("c-2")


def test_events_that_are_not_logged_yet_come_from_the_executor(world):
    world.connect("c-1")
    world.connect("c-2")
    record = claimed(world)
    pool = SteppedPool()
    live = world.live(record, pool)
    for indexed in (step(0), step(1), step(2)):
        live.publish(indexed)
    append(world, record, step(0))
    world.reconnect(record.run_id, "c-2")
    live.refresh()
    pool.steps()
    assert world.posts.indexes("c-2") == [0, 1, 2]


@pytest.mark.parametrize(
    ("after", "indexes"), [(None, [0, 1, 2, 3, 4]), (-1, [0, 1, 2, 3, 4]), (2, [3, 4]), (4, []), (99, [])]
)
async def test_after_the_end_the_rest_is_replayed(world, after, indexes):
    world.connect("c-1")
    run_id = world.start()
    await world.work()
    world.connect("c-2")
    world.reconnect(run_id, "c-2", last_event_index=after)
    replay = world.posts.got("c-2")[0]
    assert (replay["event"], replay["status"], replay["total_events"]) == ("replay", "COMPLETED", len(indexes))
    assert replay["total_buffered"] == 5
    assert world.posts.indexes("c-2") == indexes
    assert world.is_clean("c-2")


async def test_a_paused_run_is_replayed_to_its_pause(world):
    world.connect("c-1")
    world.engine.script["status"] = RunStatus.PAUSED
    run_id = world.start()
    await world.work()
    world.connect("c-2")
    world.reconnect(run_id, "c-2", last_event_index=3)
    assert world.posts.names("c-2") == ["replay", "WorkflowPaused"]


async def test_after_the_death_of_the_worker_logged_events_come_at_once_and_the_end_with_the_sweep(world):
    world.connect("c-1")
    record = claimed(world)
    live = world.live(record, SteppedPool())
    live.refresh()
    append(world, record, step(0), step(1), step(2))
    world.event("DISCONNECT", "c-1")
    world.connect("c-2")
    world.reconnect(record.run_id, "c-2", last_event_index=1)
    assert world.posts.indexes("c-2") == [2]
    sweep_dead(world, record)
    await world.work()
    assert world.posts.names("c-2") == ["catch_up", "StepStarted", "subscribed", "WorkflowError"]
    assert world.is_clean("c-2")


async def test_catching_up_with_a_continued_run_covers_both_attempts(world):
    world.connect("c-1")
    world.engine.script["status"] = RunStatus.PAUSED
    run_id = world.start()
    await world.work()
    world.engine.script["status"] = RunStatus.COMPLETED
    world.engine.check = lambda *_: None
    world.send(
        {
            "action": "continue-workflow",
            "workflow_id": WORKFLOW.id,
            "run_id": run_id,
            "step_requirements": [],
        }
    )
    world.connect("c-2")
    world.reconnect(run_id, "c-2", last_event_index=1)
    assert world.posts.indexes("c-2") == [2, 3, 4]
    await world.work()
    assert world.posts.indexes("c-2") == [2, 3, 4, 5, 6, 7, 8, 9]
    assert world.posts.names("c-2")[-1] == ALL[-1]


async def test_followers_get_the_end_of_a_run_that_is_continued_without_a_stream_over_http(world):
    world.connect("c-1")
    world.engine.script["status"] = RunStatus.PAUSED
    run_id = world.start()
    await world.work()
    world.engine.script |= {"status": RunStatus.COMPLETED, "hold": True}
    world.engine.check = lambda *_: None
    execution = await world.intake.continue_here(ContinueRun(WORKFLOW, run_id, Continuation()))
    while len(world.engine.runs) == 1:
        await asyncio.to_thread(lambda: None)
    world.reconnect(run_id, "c-1", last_event_index=4)
    assert world.posts.names("c-1")[-1] == "subscribed"
    world.engine.runs[-1].release()
    await execution.result()
    assert world.posts.names("c-1")[-1] == "WorkflowCompleted"
    assert world.is_clean("c-1")


def test_a_follower_from_before_a_continuation_gets_what_only_the_log_has(world):
    """A handler that is slow between its snapshot and the release."""
    world.connect("c-1")
    record = claimed(world)
    follower = world.followers.of_run(record.run_id)[0]
    pause = EventPack(0, (step(0).event, step(1).event, {"event": "WorkflowPaused", "run_id": "r"}))
    from_pause = commit_paused(world, record, pause)
    going_on = world.store.reopen(from_pause, executor="e-2", now=0, lease_until=2**60)
    pool = SteppedPool()
    live = world.live(going_on, pool)
    assert world.followers.of_run(record.run_id) == [follower]
    live.refresh()
    live.publish(step(3))
    pool.steps()
    assert world.posts.indexes() == [0, 1, 2, 3]


def commit_paused(world, record, pack):

    return world.store.commit(ending(record, RunStatus.PAUSED, last_events=pack, sealed_at=pack.last_index))


def test_a_run_without_events_says_so(world):
    world.connect()
    world.store.accept(running(kind=WORKFLOW.kind, component_id=WORKFLOW.id, logged=False))
    world.reconnect("run-1")
    (replay,) = world.posts.got()
    assert (replay["event"], replay["status"], replay["total_events"]) == ("replay", "RUNNING", 0)


@pytest.mark.parametrize(
    "fields", [{"workflow_id": "another"}, {"session_id": "another"}, {"run_id": "another"}, {"run_id": "of-an-agent"}]
)
def test_a_run_of_something_else_is_not_found(world, fields):
    world.connect()
    run_id = world.start()
    world.store.accept(running("of-an-agent"))
    message = {"action": "reconnect", "run_id": run_id, **fields}
    world.send(message)
    assert world.posts.got() == [
        {"event": "error", "error": f"Run {message['run_id']} not found in buffer or database"}
    ]


@pytest.mark.parametrize("who", [{"user_id": "bob"}, {"user_id": "alice", "session_id": "another"}])
@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("reconnect", "Run {} not found in buffer or database"),
        ("continue-workflow", "Run {} not found"),
        ("cancel-workflow", "Run {} not found"),
    ],
)
def test_a_run_of_another_user_or_session_is_not_found(world, action, words, who):
    world.connect("c-1")
    world.connect("c-2")
    run_id = world.start("c-1", user_id="alice", session_id="s")
    message = {"action": action, "workflow_id": WORKFLOW.id, "run_id": run_id, "step_requirements": [], **who}
    world.send(message, "c-2")
    assert world.posts.got("c-2") == [{"event": "error", "error": words.format(run_id)}]
    assert world.store.get(run_id).status is RunStatus.PENDING


@pytest.mark.parametrize(
    "who", [{}, {"user_id": "auth0|5f7c"}, {"user_id": "auth0|5f7c", "session_id": "of J\u00fcrgen"}]
)
def test_a_run_of_ones_own_is_found(world, who):
    world.connect()
    run_id = world.start(user_id="auth0|5f7c", session_id="of J\u00fcrgen")
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": run_id, **who})
    assert world.store.get(run_id).status is RunStatus.CANCELLED


def test_a_connection_cannot_follow_a_run_twice(world):
    world.connect()
    record = claimed(world)
    world.reconnect(record.run_id)
    assert world.posts.got() == [{"event": "error", "error": f"This connection follows run {record.run_id} already"}]
    assert not world.is_clean()


def test_a_client_that_disconnects_while_it_catches_up_leaves_nothing(world):
    world.connect("c-1")
    world.connect("c-2")
    record = claimed(world)
    append(world, record, step(0))
    world.posts.gone.add("c-2")
    world.reconnect(record.run_id, "c-2")
    assert [follower.connection_id for follower in world.followers.of_run(record.run_id)] == ["c-1"]
    assert world.connections.get("c-2").run_ids == frozenset()


def test_a_slow_client_catches_up_all_the_same(world):
    world.connect("c-1")
    world.connect("c-2")
    record = claimed(world)
    append(world, record, step(0), step(1))
    world.posts.fails["c-2"] = slow(4)
    world.reconnect(record.run_id, "c-2")
    assert world.posts.indexes("c-2") == [0, 1]


def test_a_client_can_come_back_after_the_handler_that_served_it_died(world):
    world.connect("c-2")
    world.connect("c-1")
    record = claimed(world)

    def killed(*_):
        raise KeyboardInterrupt

    world.posts.before = killed
    remove, world.registry.remove = world.registry.remove, lambda _follower: True
    with pytest.raises(KeyboardInterrupt):
        world.reconnect(record.run_id, "c-2")
    world.posts.before, world.registry.remove = (lambda *_: None), remove
    world.reconnect(record.run_id, "c-2")
    assert world.posts.names("c-2") == ["error"]
    world.clock.advance(60_000)
    world.reconnect(record.run_id, "c-2")
    assert world.posts.names("c-2") == ["error", "subscribed"]


class Interleaving:
    """A run that ends while a client comes back: the executor's steps come between the handler's."""

    def __init__(self, moment: int) -> None:
        self.world = World()
        self.world.connect("c-1")
        self.world.connect("c-2")
        self.record = claimed(self.world)
        self.pool = SteppedPool()
        self.live = self.world.live(self.record, self.pool)
        self.live.refresh()
        self.live.publish(step(0))
        self.live.publish(delta(1))
        append(self.world, self.record, step(0), delta(1))
        self.moments = itertools.count()
        self.at = moment
        self.steps = [self.publish, self.refresh, self.commit, self.deliver_the_rest]

    def tick(self) -> None:
        """A moment between two requests of the handler."""
        if next(self.moments) >= self.at and self.steps:
            self.steps.pop(0)()

    def publish(self) -> None:
        self.live.publish(step(2))
        self.pool.steps()

    def refresh(self) -> None:
        self.live.refresh()
        self.pool.steps()

    def commit(self) -> None:
        self.ended = commit(self.world, self.record, step(2))

    def deliver_the_rest(self) -> None:
        self.live.end(self.ended)

    def tick_around(self, owner: object, name: str) -> None:
        method = getattr(owner, name)

        def ticking(*args, **kwargs):
            self.tick()
            result = method(*args, **kwargs)
            self.tick()
            return result

        setattr(owner, name, ticking)

    def rush(self) -> None:
        """Everything of the executor that has not happened yet."""
        while self.steps:
            self.steps.pop(0)()


@pytest.mark.parametrize("together", [1, 2, 4])
@pytest.mark.parametrize("moment", range(30))
def test_whenever_the_run_ends_a_client_that_comes_back_gets_everything_once(moment, together):
    story = Interleaving(moment)
    world = story.world
    entered = []

    def tick():
        if entered:  # what the executor does is no moment of the handler
            return
        entered.append(True)
        for _ in range(together):
            Interleaving.tick(story)
        entered.clear()

    story.tick = tick
    for owner, name in (
        (world.store, "get"),
        (world.store, "read"),
        (world.followers, "put"),
        (world.followers, "release"),
        (world.followers, "remove"),
        (world.posts, "post"),
    ):
        story.tick_around(owner, name)
    world.reconnect(story.record.run_id, "c-2", last_event_index=0)
    entered.append(True)
    story.rush()
    assert world.posts.indexes("c-2") == [1, 2, 3]
    assert world.posts.indexes("c-1") == [0, 1, 2, 3]
    assert [name for name in world.posts.names("c-2") if name not in ("catch_up", "subscribed", "replay")] == [
        "RunContent",
        "StepStarted",
        "WorkflowCompleted",
    ]
    assert world.is_clean("c-2")
    world.pool.shutdown()
