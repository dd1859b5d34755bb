"""What becomes of a run whose requests to stores and queues fail, are lost, come late or come twice."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.model import Media, RunInput
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, RESEND_AFTER_MS
from agentos_lambda.stores.retries import TRIES
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import collect, component, names
from tests.stores.builders import due
from tests.stores.dynamodb.faults import answer_lost, applied_twice, cancelled, refused
from tests.stores.dynamodb.incompressible import incompressible

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

FOREGROUND = ("query", "put_item", "put_item", "put_item", "transact_write_items")
WORKER = (
    "query",
    "put_item",
    "update_item",
    "update_item",
    "get_item",
    "query",
    "put_item",
    "put_item",
    "transact_write_items",
)
THROTTLED = refused("ProvisionedThroughputExceededException")


@pytest.fixture(autouse=True)
def _supervisors(cloud):
    cloud.world.supervisor = HandDrivenSupervisor


async def foreground(world):
    execution = await world.execute(session_id="s", run_id="run", stream=True)
    assert isinstance(execution, Execution)
    return await collect(execution)


async def background(world):
    world.enqueue(session_id="s", run_id="run")
    await world.work()


def outlive(world):
    """Time passes until the executor counts as dead, and the sweeper comes."""
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    return world.sweeper.sweep()


async def test_these_are_the_requests_of_a_run(cloud):
    await foreground(cloud.world)
    assert tuple(cloud.dynamodb.calls) == FOREGROUND


async def test_these_are_the_requests_of_a_queued_run(cloud):
    await background(cloud.world)
    assert tuple(cloud.dynamodb.calls) == WORKER


@pytest.mark.parametrize("work", [foreground, background])
@pytest.mark.parametrize("operation", ["query", "get_item", "put_item", "update_item", "transact_write_items"])
async def test_throttling_of_each_call_delays_a_run_and_changes_nothing(cloud, work, operation):
    cloud.dynamodb.plan(THROTTLED, operation, times=3)
    await work(cloud.world)
    assert cloud.world.store.get("run").status is RunStatus.COMPLETED


@pytest.mark.parametrize("work", [foreground, background])
@pytest.mark.parametrize("operation", ["query", "get_item", "put_item", "update_item", "transact_write_items"])
@pytest.mark.parametrize("fault", [answer_lost, refused("InternalServerError", status=500)])
async def test_an_answer_that_does_not_come_delays_a_run_and_changes_nothing(cloud, work, operation, fault):
    cloud.dynamodb.plan(fault, operation, times=2)
    await work(cloud.world)
    record = cloud.world.store.get("run")
    assert (record.status, record.attempt) == (RunStatus.COMPLETED, 1)


async def test_a_transaction_conflict_delays_the_commit(cloud):
    cloud.dynamodb.plan(cancelled("None", "TransactionConflict", "None", "None"), "transact_write_items", times=2)
    events = await foreground(cloud.world)
    assert names(events)[-1] == "RunCompleted"


@pytest.mark.parametrize("times", [1, TRIES])
@pytest.mark.parametrize("place", range(len(FOREGROUND)))
async def test_a_write_that_is_applied_but_reported_as_failed_never_leads_to_contradictions(cloud, place, times):
    operation = FOREGROUND[place]
    cloud.dynamodb.plan(answer_lost, operation, skip=FOREGROUND[:place].count(operation), times=times)
    told = []
    try:
        told = await foreground(cloud.world)
    except StoreUnavailable:
        outlive(cloud.world)
    record = cloud.world.store.get("run")
    if told:
        assert record.status is RunStatus.COMPLETED
        assert list(cloud.world.store.read(record, after=-1)) == told
    elif record is not None:
        assert (record.status, record.error) == (RunStatus.ERROR, "execution lost")


@pytest.mark.parametrize("operation", ["put_item", "update_item", "transact_write_items"])
async def test_a_write_that_is_applied_twice_is_applied_once(cloud, operation):
    cloud.dynamodb.plan(applied_twice, operation, times=3)
    await background(cloud.world)
    record = cloud.world.store.get("run")
    assert (record.status, record.attempt) == (RunStatus.COMPLETED, 1)
    assert len(cloud.world.store.read(record, after=-1)) == 5


async def test_a_run_whose_acceptance_was_never_answered_still_ends(cloud):
    cloud.dynamodb.plan(answer_lost, "put_item", times=TRIES)
    with pytest.raises(StoreUnavailable):
        await cloud.world.execute(run_id="here")
    cloud.dynamodb.plan(answer_lost, "put_item", times=TRIES)
    with pytest.raises(StoreUnavailable):
        cloud.world.enqueue(run_id="queued")
    cloud.world.clock.advance(RESEND_AFTER_MS + DUE_STEP_MS)
    assert cloud.world.sweeper.sweep() == Swept(lost=1, sent_again=1)
    assert (await cloud.world.work()).record.run_id == "queued"
    assert cloud.world.store.get("here").status is RunStatus.ERROR
    assert cloud.world.store.get("queued").status is RunStatus.COMPLETED


async def test_a_request_that_comes_again_because_its_answer_was_lost_is_the_same_run(cloud):
    cloud.dynamodb.plan(answer_lost, "put_item", times=TRIES)
    with pytest.raises(StoreUnavailable):
        cloud.world.enqueue(idempotency_key="key")
    again = cloud.world.enqueue(idempotency_key="key")
    assert due(cloud.world.store) == [again.run_id]


async def test_without_s3_large_runs_end_with_an_error_and_small_ones_complete(cloud):
    cloud.s3.plan(refused("InternalError", status=500), "put_object", times=99)
    await background(cloud.world)
    assert cloud.world.store.get("run").status is RunStatus.COMPLETED
    cloud.world.engine.script["deltas"] = (incompressible(500_000),)
    execution = await cloud.world.execute(run_id="large", stream=True)
    events = await collect(execution)
    assert names(events)[-1] == "RunError"
    assert outlive(cloud.world) == Swept(lost=1)
    assert cloud.world.store.get("large").error == "execution lost"


async def test_a_run_whose_work_cannot_be_read_from_s3_ends_with_an_error(cloud):
    media = (Media("file", incompressible(100_000).encode(), filename="a.txt"),)
    cloud.world.intake.enqueue(StartRun(component(), RunInput("hi", media), run_id="run", background=True))
    cloud.s3.plan(refused("InternalError", status=500), "get_object", times=99)
    with pytest.raises(StoreUnavailable):
        await cloud.world.work()
    assert outlive(cloud.world) == Swept(lost=1)
    assert cloud.world.store.get("run").status is RunStatus.ERROR


async def test_an_outage_of_the_store_in_the_middle_of_a_run_is_survived(cloud):
    cloud.world.engine.script["tools"] = 3
    cloud.dynamodb.plan(refused("InternalServerError", status=500), "put_item", times=3 * TRIES, skip=2)
    events = await foreground(cloud.world)
    record = cloud.world.store.get("run")
    assert record.status is RunStatus.COMPLETED
    assert list(cloud.world.store.read(record, after=-1)) == events


async def test_a_run_that_cannot_be_swept_does_not_hold_up_the_others(cloud):
    for run_id in ("a", "b", "c"):
        cloud.world.enqueue(run_id=run_id)
        cloud.world.store.claim(run_id, executor="dies", lease_until=cloud.world.clock.now(), expired_before=0)
    cloud.dynamodb.plan(refused("InternalServerError", status=500), "get_item", times=TRIES)
    assert outlive(cloud.world) == Swept(lost=2, failed=1)
    assert cloud.world.sweeper.sweep() == Swept(lost=1)
