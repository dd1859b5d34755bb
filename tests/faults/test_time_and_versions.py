"""Zombies, clocks that disagree, what has expired, and deployments in the middle of runs."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import EventPack, SessionDelta
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, MAX_WAIT_MS, RENEWAL_INTERVAL_MS, RESEND_AFTER_MS
from tests.clocks import ManualClock
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World, collect, component, names

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

SKEW = 5_000


async def test_a_zombies_log_and_result_are_never_seen_after_the_sweep(world):
    world.supervisor = HandDrivenSupervisor
    world.engine.script["session"] = SessionDelta(set={"state:zombie": True})
    execution = await world.held(stream=True, session_id="s")
    run_id, attempt = execution.record.run_id, execution.record.attempt
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    assert world.sweeper.sweep() == Swept(lost=1)
    swept = world.store.get(run_id)
    log = list(world.store.read(swept, after=-1))
    # A write that was under way all the time arrives, and the zombie goes on to its end.
    world.store.append(run_id, attempt, EventPack(log[-2].index + 1, ({"event": "RunContent"},) * 3))
    world.engine.runs[0].release()
    told = await collect(execution)
    assert (names(told)[-1], told[-1].event["content"]) == ("RunError", "execution lost")
    assert world.store.get(run_id) == swept
    assert list(world.store.read(swept, after=-1)) == log
    session = world.store.load("s", kind=swept.kind, component_id=swept.component_id, history=9)
    assert (session.fields, session.runs) == ({}, ())


@pytest.mark.parametrize("skew", [SKEW, -SKEW])
async def test_clocks_five_seconds_apart_end_no_healthy_run_and_every_dead_one(world, skew):
    execution = await world.held(stream=True)
    other = World(store=world.store, clock=ManualClock(world.clock.now() + skew), new_id=world.new_id)
    for _ in range(12):  # two minutes, with the lease about to be renewed
        assert other.sweeper.sweep() == Swept()
        for clock in (world.clock, other.clock):
            clock.advance(RENEWAL_INTERVAL_MS)
        world.supervisors[0].tick()
    world.supervisors[0].stop()
    other.clock.advance(LEASE_MS + DUE_STEP_MS + SKEW)
    assert other.sweeper.sweep() == Swept(lost=1)
    world.engine.runs[0].release()
    assert (await execution.result()).record.error == "execution lost"


async def test_a_run_that_was_accepted_by_a_clock_that_is_ahead_is_swept_too(world):
    world.queue.down = True
    record = world.enqueue()
    world.queue.down = False
    behind = World(store=world.store, clock=ManualClock(world.clock.now() - SKEW), queue=world.queue)
    assert behind.sweeper.sweep() == Swept()
    behind.clock.advance(SKEW + RESEND_AFTER_MS + DUE_STEP_MS)
    assert behind.sweeper.sweep() == Swept(sent_again=1)
    assert list(world.queue.waiting) == [record.run_id]


async def test_expired_events_are_not_read_even_if_their_items_still_exist(cloud):
    await (await cloud.world.execute(stream=True, run_id="run")).result()
    record = cloud.world.store.get("run")
    assert len(cloud.world.store.read(record, after=-1)) == 5
    cloud.world.clock.advance(3_600_000)
    assert cloud.world.store.read(record, after=-1) == []
    assert cloud.aws.dynamodb.scan(TableName=cloud.aws.tables.events)["Count"] > 0
    assert cloud.world.runs.get(component(), "run").show()["content"] == "Hello world"


def change_item(cloud, run_id, *, remove=(), **attributes) -> None:
    """Make the record that of a function of another version."""
    key = {"run_id": {"S": run_id}, "item": {"S": "RECORD"}}
    item = cloud.aws.dynamodb.get_item(TableName=cloud.aws.tables.runs, Key=key)["Item"]
    kept = {name: value for name, value in item.items() if name not in remove}
    cloud.aws.dynamodb.put_item(TableName=cloud.aws.tables.runs, Item={**kept, **attributes})


NEWER = {"version": {"N": "2"}, "priority": {"N": "7"}, "labels": {"M": {"a": {"S": "b"}}}}
NEWEST = ("queued_at", "sends", "acknowledged_send", "next_send_at", "logged", "in_session", "request_hash")
"""Attributes that the first records did not have."""


@pytest.mark.parametrize(("remove", "attributes"), [((), NEWER), (NEWEST, {})], ids=["newer", "older"])
async def test_a_record_of_another_version_is_executed_and_ended(cloud, remove, attributes):
    cloud.world.enqueue(run_id="run")
    change_item(cloud, "run", remove=remove, **attributes)
    ended = await cloud.world.work()
    assert ended.record.status is RunStatus.COMPLETED
    assert cloud.world.runs.get(component(), "run").show()["content"] == "Hello world"


@pytest.mark.parametrize(("remove", "attributes"), [((), NEWER), (NEWEST, {})], ids=["newer", "older"])
async def test_a_record_of_another_version_is_sent_again_given_up_cancelled_and_swept(cloud, remove, attributes):
    cloud.world.queue.down = True
    for run_id in ("waits", "cancelled", "dead"):
        cloud.world.enqueue(run_id=run_id)
    cloud.world.queue.down = False
    cloud.world.store.claim("dead", executor="dies", lease_until=cloud.world.clock.now(), expired_before=0)
    for run_id in ("waits", "cancelled", "dead"):
        change_item(cloud, run_id, remove=remove, **attributes)
    assert cloud.world.cancel("cancelled").status is RunStatus.CANCELLED
    cloud.world.clock.advance(RESEND_AFTER_MS + DUE_STEP_MS)
    assert cloud.world.sweeper.sweep() == Swept(lost=1, sent_again=1)
    cloud.world.clock.advance(MAX_WAIT_MS)
    assert cloud.world.sweeper.sweep() == Swept(never_started=1)


async def test_an_unreadable_record_does_not_hold_up_other_runs(cloud):
    cloud.world.queue.down = True
    for run_id in ("a", "b", "c"):
        cloud.world.enqueue(run_id=run_id)
    cloud.world.queue.down = False
    change_item(cloud, "b", status={"S": "SUSPENDED"})
    cloud.world.clock.advance(RESEND_AFTER_MS + DUE_STEP_MS)
    assert cloud.world.sweeper.sweep() == Swept(sent_again=2, failed=1)
