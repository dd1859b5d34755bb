"""Components that misbehave, results that are large, sessions that are long, and runs that share one."""

import asyncio
import threading

import pytest
from agno.agent import Agent
from agno.models.response import ModelResponse

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.runs.sweeper import Swept
from agentos_lambda.runs.timing import LEASE_MS, POLL_INTERVAL_MS, RENEWAL_INTERVAL_MS
from tests.engine.playing import engine_of
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World, collect, names
from tests.stores.dynamodb.incompressible import incompressible
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.faults]


class NonsenseModel(DemoModel):
    """Answers what no model should: broken text and a call of nothing, and then nothing at all."""

    answers = (ModelResponse(role="assistant", content="\ud800\x00", tool_calls=[{"function": {"name": None}}]), None)

    async def ainvoke_stream(self, *args, messages, **kwargs):
        yield self.answers[min(len(messages) - 1, 1)]

    async def ainvoke(self, *args, messages, **kwargs):
        return self.answers[min(len(messages) - 1, 1)]


def with_model(world: World, model: DemoModel, *tools) -> World:
    world.engine = engine_of(Agent(id="assistant", name="Assistant", model=model, tools=list(tools)))
    return world


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_raises_ends_its_run_as_an_error(world, stream):
    ended = await with_model(world, DemoModel()).run("[fail out of ink]", stream=stream)
    assert (ended.record.status, ended.record.error) == (RunStatus.ERROR, "out of ink")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_hangs_is_stopped_at_the_deadline_with_what_there_is(world, stream):
    deadline = world.clock.now() + POLL_INTERVAL_MS
    execution = await with_model(world, DemoModel()).execute("[hang]", stream=stream, deadline=deadline)
    world.clock.advance(POLL_INTERVAL_MS)
    world.supervisors[0].wake()
    ended = await execution.result()
    assert (ended.record.status, ended.record.error) == (RunStatus.ERROR, "deadline exceeded")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_answers_nonsense_ends_its_run_in_some_final_state(cloud, stream):
    ended = await with_model(cloud.world, NonsenseModel()).run(run_id="run", stream=stream)
    record = cloud.world.store.get("run")
    assert (record.status.final, record.status) == (True, ended.record.status)
    cloud.world.store.output(record).run["content"].encode()


async def test_a_tool_that_blocks_the_event_loop_neither_kills_its_run_nor_hides_a_cancel(world):
    """The supervisor has a thread of its own: it renews the lease and sees the cancel while nothing else can move."""
    begun, over = threading.Event(), threading.Event()
    deadline = world.clock.now() + 1_000_000

    world.engine.script["deltas"] = BlocksTheLoop(begun, over)
    seen = {}

    def others() -> None:
        begun.wait(20)
        run_id = next(record.run_id for record in world.store.records())
        for _ in range(2):
            world.clock.advance(RENEWAL_INTERVAL_MS)
            until(lambda: world.store.get(run_id).lease_until == world.clock.now() + LEASE_MS)
            assert world.sweeper.sweep() == Swept()
        world.cancel(run_id)
        world.clock.advance(POLL_INTERVAL_MS)
        until(lambda: world.engine.runs[0].cancelled)
        seen["cancelled"] = True
        over.set()

    thread = threading.Thread(target=others)
    thread.start()
    execution = await world.execute(stream=True, deadline=deadline)
    ended = await execution.result()
    thread.join(20)
    assert seen == {"cancelled": True}
    assert ended.record.status is RunStatus.CANCELLED


class BlocksTheLoop:
    """Text of which the last piece does not come until it is let go."""

    def __init__(self, begun: threading.Event, over: threading.Event) -> None:
        self.begun, self.over = begun, over

    def __iter__(self):
        yield "first"
        self.begun.set()
        assert self.over.wait(20)
        yield "last"


async def test_an_event_and_an_output_over_400_kilobytes_are_stored_and_read_whole(cloud):
    cloud.world.supervisor = HandDrivenSupervisor
    large = incompressible(500_000)
    cloud.world.engine.script["deltas"] = (large, "!")
    execution = await cloud.world.execute(run_id="run", stream=True)
    events = await collect(execution)
    assert [type(supervisor) for supervisor in cloud.world.supervisors] == [HandDrivenSupervisor]
    record = cloud.world.store.get("run")
    assert record.status is RunStatus.COMPLETED
    assert list(cloud.world.store.read(record, after=-1)) == events
    assert cloud.world.store.output(record).run["content"] == f"{large}!"


async def test_a_run_in_a_session_of_1000_runs_makes_no_more_requests_than_in_a_new_one(cloud):
    await cloud.world.run("first", session_id="s")
    table = cloud.aws.tables.sessions
    key = "session_id = :session_id AND begins_with(#item, :run)"
    [item] = cloud.aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression=key,
        ExpressionAttributeNames={"#item": "item"},
        ExpressionAttributeValues={":session_id": {"S": "s"}, ":run": {"S": "RUN#"}},
    )["Items"]
    accepted = int(item["accepted_at"]["N"])
    for number in range(1, 1000):
        at, run_id = accepted - number, f"earlier-{number}"
        earlier = {"item": {"S": f"RUN#{at:013d}#{run_id}"}, "run_id": {"S": run_id}, "accepted_at": {"N": str(at)}}
        cloud.aws.dynamodb.put_item(TableName=table, Item={**item, **earlier})
    cloud.dynamodb.calls.clear()
    await cloud.world.run("and one more", session_id="s")
    assert cloud.dynamodb.calls == ["query", "put_item", "transact_write_items"]
    assert len(cloud.world.engine.runs[-1].request.session.runs) == 3


async def test_two_runs_in_one_session_at_once_keep_each_others_keys_and_runs(world):
    executions = []
    for name in ("one", "two"):
        world.engine.script["session"] = SessionDelta(set={f"state:{name}": 1, "state:last": name})
        executions.append(await world.held(session_id="s", run_id=name))
    for run in reversed(world.engine.runs):
        run.release()
    await asyncio.gather(*(execution.result() for execution in executions))
    session = world.store.load("s", kind=Kind.AGENT, component_id="assistant", history=9)
    assert {"state:one": 1, "state:two": 1}.items() <= session.fields.items()
    assert session.fields["state:last"] in ("one", "two")
    assert {run.run_id for run in session.runs} == {"one", "two"}


async def test_a_client_gets_a_long_text_once(world):
    world.engine.script["deltas"] = tuple(str(number) for number in range(500))
    events = await collect(await world.execute(stream=True, run_id="run"))
    assert names(events).count("RunContent") == 500
    assert list(world.store.read(world.store.get("run"), after=-1)) == events
