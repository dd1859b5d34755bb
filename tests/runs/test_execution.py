"""What one attempt hands on, and what it leaves in the store."""

import asyncio
from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import ComponentUnusable, NotStorable, SessionTaken, StoreUnavailable
from agentos_lambda.runs.model import Ending, RunRecord, SessionDelta
from agentos_lambda.runs.sweeper import Sweeper
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, POLL_INTERVAL_MS
from agentos_lambda.stores.memory import MemoryStore
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import OneOfEach, World, collect, component, names

pytestmark = pytest.mark.anyio


class RefusingStore(MemoryStore):
    """Refuses the first commits, each with the next of the errors given."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)
        self.tried: list[Ending] = []

    def _refuse(self, ending: Ending) -> None:
        self.tried.append(ending)
        if self.errors:
            raise self.errors.pop(0)

    def commit(self, ending: Ending) -> RunRecord:
        self._refuse(ending)
        return super().commit(ending)

    def commit_without_session(self, ending: Ending) -> RunRecord:
        self._refuse(ending)
        return super().commit_without_session(ending)


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_streamed_run_hands_on_all_events_in_order_and_ends_with_the_terminal_one(kind):
    world = World()
    events = await collect(await world.execute(of=component(kind), stream=True))
    assert [indexed.index for indexed in events] == list(range(len(events)))
    assert (
        names(events)[-1]
        == {"agent": "RunCompleted", "team": "TeamRunCompleted", "workflow": "WorkflowCompleted"}[kind]
    )


async def test_a_members_completion_is_not_the_end(world):
    events = await collect(await world.execute(stream=True))
    assert names(events) == ["RunStarted", "RunContent", "RunContent", "RunCompleted", "RunCompleted"]
    assert events[-2].event["content"] == "not the end"


async def test_the_terminal_event_comes_only_after_the_commit(world):
    execution = await world.held(stream=True)
    run_id = execution.record.run_id
    seen = []
    async for indexed in execution.events():
        seen.append(indexed.event)
        if len(seen) == 4:
            assert world.store.get(run_id).status is RunStatus.RUNNING
            world.engine.runs[0].release()
    assert seen[-1]["run_id"] == run_id
    assert world.store.get(run_id).status is RunStatus.COMPLETED


async def test_the_log_of_a_streamed_run_holds_every_event_that_was_handed_on(world):
    execution = await world.execute(stream=True)
    events = await collect(execution)
    assert world.store.read(world.store.get(execution.record.run_id), after=-1) == events


async def test_after_an_end_that_withdraws_the_text_only_the_end_is_read(world):
    world.engine.script.update(status=RunStatus.ERROR, error="do not shout", withdrawn=True)
    events = await collect(await world.execute(stream=True))
    record = world.store.get(events[-1].event["run_id"])
    assert len(events) > 1
    assert world.store.read(record, after=-1) == events[-1:]


class Checked(OneOfEach):
    """Components whose checks may block their output, or have none."""

    def __init__(self, *, checked: bool) -> None:
        self._checked = checked

    def find(self, kind, component_id):
        return replace(component(kind, component_id), checked=self._checked)


@pytest.mark.parametrize("checked", [True, False])
async def test_of_a_lost_run_whose_text_was_not_checked_only_the_end_is_read(world, checked):
    world.supervisor = HandDrivenSupervisor
    execution = await world.held(run_id="r", stream=True)
    world.supervisors[-1].tick()
    logged = world.store.read(world.store.get("r"), after=-1)
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    Sweeper(
        world.store, world.queue, Checked(checked=checked), world.clock, new_id=lambda: "sweeper", threads=1
    ).sweep()
    world.engine.runs[-1].cancel()
    await execution.result()

    *before, end = world.store.read(world.store.get("r"), after=-1)
    assert len(logged) > 1
    assert before == ([] if checked else logged)
    assert (end.event["event"], end.event["content"]) == ("RunError", "execution lost")


async def test_the_run_is_answered_as_it_happened_and_stored_as_the_engine_wants_it(world):
    world.engine.script.update(answer={"content": "with pictures", "images": ["a picture"]})
    ended = await world.run()
    assert ended.output.run == {"content": "with pictures", "images": ["a picture"]}
    assert "images" not in world.store.output(ended.record).run


async def test_what_the_engine_would_have_answered_is_not_told_of_a_cancelled_run(world):
    world.engine.script.update(answer={"content": "with pictures"})
    execution = await world.held()
    world.store.flag_cancel(execution.record, now=world.clock.now())
    world.engine.runs[0].release()
    ended = await execution.result()
    assert ended.record.status is RunStatus.CANCELLED
    assert ended.output.run["content"] == "Hello world"


async def test_a_run_that_is_not_streamed_writes_no_log(world):
    ended = await world.run()
    assert ended.record.seals == {}
    assert world.store.read(ended.record, after=-1) == []


async def test_a_client_that_disconnects_stops_nothing(world):
    execution = await world.held(stream=True)
    events = execution.events()
    await anext(events)
    await events.aclose()
    world.engine.runs[0].release()
    assert (await execution.result()).record.status is RunStatus.COMPLETED


async def test_an_executor_is_idle_when_all_its_attempts_have_ended(world):
    await world.executor.idle()
    execution = await world.held()
    idle = asyncio.create_task(world.executor.idle())
    await asyncio.to_thread(lambda: None)
    assert not idle.done()
    world.engine.runs[0].release()
    await idle
    assert execution.task.done()


async def test_a_cancel_before_the_commit_wins_over_a_success(world):
    execution = await world.held(stream=True)
    world.cancel(execution.record.run_id)
    world.engine.runs[0].release()  # the engine ends as if it had not heard of the cancel
    events = await collect(execution)
    assert names(events)[-2:] == ["RunCancelled", "RunCompleted"]
    assert events[-2].event["content"] == "Hello world"
    record = world.store.get(execution.record.run_id)
    assert record.status is RunStatus.CANCELLED
    assert world.store.output(record).run["content"] == "Hello world"


async def test_a_cancel_after_the_commit_changes_nothing(world):
    ended = await world.run()
    record = world.cancel(ended.record.run_id)
    assert (record.status, record.cancel_requested) == (RunStatus.COMPLETED, False)
    assert world.store.get(ended.record.run_id) == ended.record


async def test_a_fenced_attempt_reports_what_the_record_says_and_writes_nothing(world):
    world.engine.script["session"] = SessionDelta(set={"state:mine": 1})
    execution = await world.held(stream=True)
    run_id = execution.record.run_id
    later = world.clock.now() + 60_000
    taken = world.store.claim(run_id, executor="other", lease_until=later, expired_before=later)
    world.engine.runs[0].release()
    events = await collect(execution)
    assert names(events)[-1] == "RunError"
    assert events[-1].event["content"] == "execution lost"
    assert world.store.get(run_id) == taken
    assert world.store.load(execution.record.session_id, kind=Kind.AGENT, component_id="assistant", history=9) is None


async def test_an_ending_that_cannot_be_stored_is_not_announced_as_completed():
    world = World(store=RefusingStore(*[StoreUnavailable("down")] * 4))
    execution = await world.execute(stream=True)
    events = await collect(execution)
    assert names(events)[-1] == "RunError"
    with pytest.raises(StoreUnavailable):
        await execution.result()
    assert world.store.get(execution.record.run_id).status is RunStatus.RUNNING


async def test_an_ending_is_tried_again_as_the_same_one_while_the_store_does_not_answer():
    world = World(store=RefusingStore(*[StoreUnavailable("down")] * 3))
    ended = await world.run()
    assert ended.record.status is RunStatus.COMPLETED
    assert len(world.store.tried) == 4
    assert len({ending.token for ending in world.store.tried}) == 1


async def test_a_stream_of_a_fenced_attempt_ends_even_if_the_store_is_down():
    world = World(supervisor=HandDrivenSupervisor)
    execution = await world.held(stream=True)
    later = world.clock.now() + 60_000
    world.store.claim(execution.record.run_id, executor="other", lease_until=later, expired_before=later)
    world.clock.advance(POLL_INTERVAL_MS)
    world.supervisors[0].tick()

    def down(run_id):
        raise StoreUnavailable("down")

    world.store.get = down
    events = await collect(execution)
    assert (names(events)[-1], events[-1].event["content"]) == ("RunError", "execution lost")


async def test_a_result_that_is_too_large_ends_the_run_as_an_error():
    world = World(store=RefusingStore(NotStorable("too large")))
    ended = await world.run()
    assert ended.record.status is RunStatus.ERROR
    assert ended.record.error == "the result of the run is too large to be stored"
    assert world.store.output(ended.record).run["content"] == ended.record.error


async def test_what_can_never_be_stored_is_reported_and_not_retried_for_ever():
    world = World(store=RefusingStore(*[NotStorable("too large")] * 5))
    with pytest.raises(NotStorable):
        await world.run()
    assert len(world.store.tried) == 2


async def test_a_session_that_became_another_users_is_left_alone():
    world = World(store=RefusingStore(SessionTaken("taken")))
    ended = await world.run(session_id="s", user_id="alice")
    assert (ended.record.status, ended.record.in_session) == (RunStatus.ERROR, False)
    assert world.store.load("s", kind=Kind.AGENT, component_id="assistant", history=9) is None


async def test_a_component_that_cannot_be_loaded_ends_the_run_as_an_error(caplog):
    def broken():
        raise ComponentUnusable("components.py:3: no such module")

    world = World(load_engine=broken)
    events = await collect(await world.execute(stream=True))
    assert names(events) == ["RunError"]
    assert events[0].event["content"] == "components.py:3: no such module"
    ended = await world.run()
    assert ended.output.run["content"] == "components.py:3: no such module"
    assert "components.py:3: no such module" in caplog.text


async def test_a_failed_run_keeps_its_error_and_its_partial_output(world):
    world.engine.script.update(status=RunStatus.ERROR, error="model exploded")
    ended = await world.run()
    assert (ended.record.status, ended.record.error) == (RunStatus.ERROR, "model exploded")
    assert ended.output.run["status"] == "ERROR"


async def test_an_engine_that_breaks_the_rules_leaves_the_run_to_the_sweeper(world):
    world.engine.script["raises"] = ZeroDivisionError("bug")
    execution = await world.execute(stream=True)
    with pytest.raises(ZeroDivisionError):
        await collect(execution)
    assert world.store.get(execution.record.run_id).status is RunStatus.RUNNING
