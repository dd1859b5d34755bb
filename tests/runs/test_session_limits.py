"""A session's state has a bound. Over it a run is an ERROR that says so, and leaves the state as it was."""

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs import session_limits
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.model import RunInput, SessionDelta
from agentos_lambda.runs.session_limits import MAX_STATE_BYTES, MAX_STATE_KEYS, refused_change
from tests.runs.world import collect, component
from tests.stores.builders import load

pytestmark = pytest.mark.anyio


def keys(count, first=0):
    return {f"state:{place}": place for place in range(first, first + count)}


def state_of(world):
    return load(world.store, "s", component_id="assistant").fields


@pytest.fixture
def three_keys(monkeypatch):
    monkeypatch.setattr(session_limits, "MAX_STATE_KEYS", 3)


async def with_state(world, state, **more):
    command = StartRun(component(), RunInput("hi", session_state=state), session_id="s", **more)
    return await world.intake.execute(command)


@pytest.mark.parametrize("background", [False, True])
async def test_state_that_a_caller_sends_is_refused_before_the_component_runs(world, three_keys, background):
    world.engine.script["session"] = SessionDelta(keys(2))
    await world.run(session_id="s")
    state = {"a": 1, "b": 2}
    if background:
        world.intake.enqueue(
            StartRun(component(), RunInput("hi", session_state=state), session_id="s", background=True)
        )
        ended = await world.work()
    else:
        ended = await (await with_state(world, state)).result()
    assert ended.record.status is RunStatus.ERROR
    assert ended.record.error == ended.output.run["content"] == "The session state would have 4 keys. It may have 3"
    assert len(world.engine.runs) == 1
    assert state_of(world) == keys(2)


async def test_state_that_a_component_leaves_is_refused_and_the_run_keeps_the_rest(world, three_keys):
    world.engine.script["session"] = SessionDelta(keys(4))
    execution = await world.execute(session_id="s", stream=True)
    events = await collect(execution)
    ended = await execution.result()
    words = "The session state would have 4 keys. It may have 3"
    assert (ended.record.status, ended.record.error, ended.output.run["content"]) == (RunStatus.ERROR, words, words)
    assert ended.output.run["input"] == "hi"
    assert (events[-1].event["event"], events[-1].event["content"]) == ("RunError", words)
    assert "not the end" not in str(events[-1].event)
    assert state_of(world) == {}


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.CANCELLED])
async def test_a_run_that_ended_badly_anyway_says_what_it_would_have_said(world, three_keys, status):
    world.engine.script.update(session=SessionDelta(keys(4)), status=status, error="why")
    ended = await world.run(session_id="s")
    assert (ended.record.status, ended.output.run["content"]) == (status, "Hello world")
    assert state_of(world) == {}


async def test_what_replaces_and_removes_keys_counts_for_what_is_left(world, three_keys):
    for changes in (keys(3), {**keys(2), "metadata": {}}, keys(3, first=1)):
        world.engine.script["session"] = SessionDelta(changes, frozenset({"state:0"} - changes.keys()))
        assert (await world.run(session_id="s")).record.status is RunStatus.COMPLETED
    assert state_of(world) == {**keys(3, first=1), "metadata": {}}


async def test_a_state_that_is_too_large_already_may_become_smaller(world, monkeypatch):
    world.engine.script["session"] = SessionDelta(keys(5))
    await world.run(session_id="s")
    monkeypatch.setattr(session_limits, "MAX_STATE_KEYS", 3)
    for changes in (SessionDelta({"state:0": "changed"}, frozenset({"state:1"})), SessionDelta({"state:0": 0})):
        world.engine.script["session"] = changes
        assert (await world.run(session_id="s")).record.status is RunStatus.COMPLETED
    world.engine.script["session"] = SessionDelta({"state:new": 0})
    assert (await world.run(session_id="s")).record.status is RunStatus.ERROR


def test_the_bound_is_ten_thousand_keys_and_sixteen_megabytes():
    assert refused_change(None, SessionDelta(keys(MAX_STATE_KEYS))) is None
    assert "10,001 keys" in refused_change(None, SessionDelta(keys(MAX_STATE_KEYS + 1)))
    assert refused_change(None, SessionDelta({"state:a": "x" * (MAX_STATE_BYTES - 10)})) is None
    assert "bytes as JSON" in refused_change(None, SessionDelta({"state:a": "x" * MAX_STATE_BYTES}))
    assert "bytes as JSON" in refused_change(None, SessionDelta({"state:a": ["\u00fc" * (MAX_STATE_BYTES // 2)]}))
    assert refused_change(None, SessionDelta({"metadata": "x" * (MAX_STATE_BYTES + 1)})) is None
