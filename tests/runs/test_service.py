"""What can be done with runs, and who may do it."""

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.errors import Conflict, NotFound, StoreUnavailable
from agentos_lambda.runs.model import Ending, RunInput, RunOutput, RunRecord
from agentos_lambda.runs.timing import LEASE_MS
from agentos_lambda.stores.memory import MemoryStore
from tests.runs.world import World, component

pytestmark = pytest.mark.anyio


async def test_a_run_is_found_with_its_output_after_its_end(world):
    ended = await world.run()
    view = world.runs.get(component(), ended.record.run_id)
    assert view.show() == {
        "run_id": ended.record.run_id,
        "content": "Hello world",
        "input": "hi",
        "status": "COMPLETED",
    }


async def test_a_run_is_found_with_its_status_while_it_runs(world):
    execution = await world.held()
    shown = world.runs.get(component(), execution.record.run_id).show()
    assert (shown["status"], shown["agent_id"]) == ("RUNNING", "assistant")
    assert "content" not in shown
    world.engine.runs[0].release()
    await execution.result()


async def test_members_are_shown_within_their_teams_run(world):
    world.engine.script["members"] = ({"run_id": "m"},)
    ended = await world.run()
    assert world.runs.get(component(), ended.record.run_id).show()["member_responses"] == [{"run_id": "m"}]


async def test_a_run_of_another_component_session_or_user_is_not_found(world):
    run_id = (await world.run(session_id="s", user_id="alice")).record.run_id
    hidden = [
        (component(component_id="other"), {}),
        (component(Kind.TEAM), {}),
        (component(), {"session_id": "another"}),
        (component(), {"caller": Caller("bob")}),
        (component(), {"caller": Caller("bob", isolated=True)}),
    ]
    for of, who in hidden:
        with pytest.raises(NotFound, match="Run not found"):
            world.runs.get(of, run_id, **who)
    owner = Caller("alice", isolated=True)
    assert world.runs.get(component(), run_id, session_id="s", caller=owner).record.run_id == run_id


async def test_a_run_id_in_use_is_refused_and_nothing_is_overwritten(world):
    first = await world.run(run_id="mine")
    with pytest.raises(Conflict):
        await world.run("another", run_id="mine")
    assert world.runs.get(component(), "mine").record == first.record


@pytest.mark.parametrize("caller", ["bob", None])
async def test_a_session_of_another_user_is_not_found_and_no_run_is_left_behind(world, caller):
    await world.run(session_id="s", user_id="alice")
    with pytest.raises(NotFound, match="Session not found"):
        await world.run(session_id="s", user_id=caller, run_id="refused")
    assert world.store.get("refused") is None


async def test_the_engine_gets_the_history_its_component_wants_oldest_first(world):
    for number in range(5):
        await world.run(f"message {number}", session_id="s")
    await world.run("last", session_id="s")
    history = world.engine.runs[-1].request.session.runs
    assert [run.output.run["input"] for run in history] == ["message 2", "message 3", "message 4"]


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize(("asks", "read"), [(True, 5), (False, 1), (None, 1)])
async def test_the_engine_gets_more_history_if_its_caller_asks_for_it(world, background, asks, read):
    for number in range(6):
        await world.run(f"message {number}", session_id="s")
    asked = replace(component(), history_runs=1, history_if_asked=5)
    command = StartRun(asked, RunInput("last", add_history_to_context=asks), session_id="s", background=background)
    if background:
        world.worker._catalog.find = lambda *_: asked
        world.intake.enqueue(command)
        await world.work()
    else:
        await (await world.intake.execute(command)).result()
    assert len(world.engine.runs[-1].request.session.runs) == read


async def test_the_runs_of_a_session_are_listed_oldest_first_and_by_status(world):
    await world.run("one", session_id="s")
    world.engine.script["status"] = RunStatus.ERROR
    await world.run("two", session_id="s")
    listed = list(world.runs.list(component(), "s"))
    assert [run.output.run["input"] for run in listed] == ["one", "two"]
    assert [run.status for run in world.runs.list(component(), "s", status=RunStatus.ERROR)] == [RunStatus.ERROR]


async def test_a_list_leaves_out_what_was_asked_to_be_skipped(world):
    for message in ("one", "two", "three"):
        await world.run(message, session_id="s")
    assert [run.output.run["input"] for run in world.runs.list(component(), "s", skip=1)] == ["two", "three"]
    assert list(world.runs.list(component(), "s", skip=3)) == []


async def test_a_user_sees_the_runs_of_everybodys_session_but_not_those_of_others(world):
    for user_id in (None, "alice", "bob"):
        await world.run(f"of {user_id}", session_id="s", user_id=user_id)

    def listed(user_id):
        return [run.output.run["input"] for run in world.runs.list(component(), "s", caller=Caller(user_id))]

    assert listed(None) == ["of None", "of alice", "of bob"]
    assert listed("alice") == ["of None", "of alice"]
    assert listed("carol") == ["of None"]


async def test_a_session_that_was_begun_without_a_user_locks_nobody_out(world):
    await world.run("begun", session_id="s")
    await world.run("named", session_id="s", user_id="alice")
    await world.run("again", session_id="s")
    assert world.engine.runs[-1].request.session.user_id is None


async def test_a_queued_run_sees_nothing_of_a_session_that_has_become_anothers_since(world):
    queued = world.enqueue(session_id="s", user_id="bob")
    await world.run("a secret", session_id="s", user_id="alice")
    ended = await world.work()
    assert world.engine.runs[-1].request.session is None
    assert (ended.record.run_id, ended.record.error) == (queued.run_id, "the session belongs to another user")


async def test_an_unknown_session_and_one_of_another_component_are_not_found(world):
    await world.run(session_id="s")
    for of, session_id in ((component(), "unknown"), (component(Kind.TEAM, "team"), "s")):
        with pytest.raises(NotFound, match="Session not found"):
            world.runs.list(of, session_id)


def waiting(world: World, status: RunStatus) -> RunRecord:
    record = RunRecord("waits", Kind.AGENT, "assistant", "s", None, status, world.clock.now(), "t")
    return world.store.accept(record)


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.PAUSED])
async def test_a_run_that_waits_is_cancelled_at_once(world, status):
    waiting(world, status)
    assert world.cancel("waits").status is RunStatus.CANCELLED
    shown = world.runs.get(component(), "waits").show()
    assert (shown["status"], shown["content"]) == ("CANCELLED", "Run waits was cancelled")


async def test_cancelling_twice_is_the_same_as_once(world):
    execution = await world.held()
    first = world.cancel(execution.record.run_id)
    world.clock.advance(5)
    assert world.cancel(execution.record.run_id) == first
    world.engine.runs[0].release()
    await execution.result()


async def test_an_unknown_run_and_one_of_another_component_session_or_user_cannot_be_cancelled(world):
    execution = await world.held(session_id="s", user_id="alice")
    run_id = execution.record.run_id
    hidden = [
        (component(), "unknown", {}),
        (component(component_id="other"), run_id, {}),
        (component(), run_id, {"caller": Caller("bob")}),
        (component(), run_id, {"session_id": "another"}),
    ]
    for of, of_run, who in hidden:
        with pytest.raises(NotFound):
            world.runs.cancel(of, of_run, **who)
    assert not world.store.get(execution.record.run_id).cancel_requested
    world.engine.runs[0].release()
    await execution.result()


class RacingStore(MemoryStore):
    """Lets another write come between a cancel's read of a record and its own write."""

    def __init__(self, *events) -> None:
        super().__init__()
        self.events = list(events)

    def replace(self, record):
        self._records[record.run_id] = record

    def get(self, run_id):
        record = super().get(run_id)
        if self.events:
            self.events.pop(0)(self)
        return record


def claim(store):
    store.claim("waits", executor="e", lease_until=LEASE_MS, expired_before=0)


def complete(store):
    record = MemoryStore.get(store, "waits")
    store.commit(Ending(record, RunStatus.COMPLETED, 0, "done", RunOutput({})))


async def test_a_cancel_that_is_overtaken_by_the_claim_flags_the_running_run():
    world = World(store=RacingStore(claim))
    waiting(world, RunStatus.PENDING)
    record = world.cancel("waits")
    assert (record.status, record.cancel_requested) == (RunStatus.RUNNING, True)


async def test_a_cancel_that_is_overtaken_by_the_end_reports_the_end():
    world = World(store=RacingStore(claim, complete))
    waiting(world, RunStatus.PENDING)
    record = world.cancel("waits")
    assert (record.status, record.cancel_requested) == (RunStatus.COMPLETED, False)


def pause_or_queue(store):
    record = MemoryStore.get(store, "waits")
    status = RunStatus.PENDING if record.status is RunStatus.PAUSED else RunStatus.PAUSED
    store.replace(replace(record, status=status, attempt=record.attempt + 1))


async def test_a_cancel_that_is_overtaken_again_and_again_gives_up_and_says_so():
    world = World(store=RacingStore(*[pause_or_queue] * 9))
    waiting(world, RunStatus.PENDING)
    with pytest.raises(StoreUnavailable):
        world.cancel("waits")
