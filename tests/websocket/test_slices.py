"""Connections that follow a run through several executors."""

from __future__ import annotations

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from tests.stores.builders import pack
from tests.websocket.test_feed import claimed
from tests.websocket.world import WORKFLOW, InlinePool, World, slow

pytestmark = pytest.mark.anyio


def of_run(world: World, run_id: str, connection_id: str = "c-1") -> list[int]:
    got = world.posts.got(connection_id)
    return [each["event_index"] for each in got if each.get("run_id") == run_id and "event_index" in each]


async def test_a_client_gets_one_stream_of_a_run_in_three_slices(world: World) -> None:
    world.connect()
    run_id = world.start()
    await world.work_a_slice()
    await world.work_a_slice()
    ended = await world.work()
    log = [event.index for event in world.store.read(ended.record, after=-1)]
    assert world.posts.indexes() == log == list(range(len(log)))
    assert world.posts.names()[0] == "WorkflowStarted"
    assert [name for name in world.posts.names() if name.startswith("Workflow") and name.endswith("ed")] == [
        "WorkflowStarted",
        "WorkflowCompleted",
    ]
    assert all(each["run_id"] in (run_id, "a-member") for each in world.posts.got())
    assert world.is_clean()


async def test_a_client_that_comes_between_two_slices_gets_all_of_them(world: World) -> None:
    world.connect()
    run_id = world.start()
    await world.work_a_slice()
    world.connect("c-2")
    world.reconnect(run_id, "c-2")
    assert world.posts.names("c-2")[0] == "catch_up"
    assert world.posts.names("c-2")[-1] == "subscribed"
    await world.work()
    assert world.posts.indexes("c-2") == world.posts.indexes("c-1")


async def test_a_client_that_left_between_two_slices_goes_on_where_it_was(world: World) -> None:
    world.connect()
    run_id = world.start()
    await world.work_a_slice()
    last = world.posts.indexes()[-1]
    world.event("DISCONNECT", "c-1")
    world.connect("c-2")
    world.reconnect(run_id, "c-2", last_event_index=last)
    ended = await world.work()
    log = [event.index for event in world.store.read(ended.record, after=-1)]
    assert world.posts.indexes("c-1") + world.posts.indexes("c-2") == log


async def test_a_cancel_between_two_slices_ends_the_stream(world: World) -> None:
    world.connect()
    run_id = world.start()
    await world.work_a_slice()
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": run_id})
    await world.work()
    assert [name for name in world.posts.names() if name.startswith("Workflow")][-2:] == [
        "WorkflowCancelled",
        "WorkflowCompleted",
    ]
    assert world.is_clean()


async def test_what_a_slow_client_has_not_got_comes_from_the_next_attempt(world: World) -> None:
    world.connect()
    record = claimed(world)
    feed = world.live(record, InlinePool())
    feed.refresh()
    world.posts.fails["c-1"] = slow(9)
    world.store.append(record.run_id, record.attempt, pack(0, "a", "b"))
    for event in world.store.read(record, after=-1):
        feed.publish(event)
    feed.flush_seconds = 0.0
    feed.hand_over()
    (follower,) = world.followers.all()
    assert (follower.attempt, follower.next_index) == (None, 0)


async def test_a_follower_that_cannot_be_released_harms_no_run(world: World) -> None:
    world.connect()
    world.start()

    def down(*_args: object, **_options: object) -> None:
        raise StoreUnavailable("down")

    world.followers.release = down  # type: ignore[method-assign,assignment]
    await world.work_a_slice()
    await world.work()
    assert world.posts.names()[-1] == "WorkflowCompleted"
