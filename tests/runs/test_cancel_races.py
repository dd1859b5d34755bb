"""A cancel against a run that is just finishing, in every order of their calls to the store."""

import asyncio
from itertools import product

import pytest

from agentos_lambda.protocol.values import RunStatus
from tests.runs.scheduled_store import CANCELLER, EXECUTOR, ScheduledStore, actor
from tests.runs.world import World, collect, component, names

pytestmark = pytest.mark.anyio

DEPTH = 7
"""Calls of both together; the canceller needs at most four, a retried commit of the executor two."""

SCHEDULES = list(product((EXECUTOR, CANCELLER), repeat=DEPTH))


async def cancelled(world: World, run_id: str):
    actor.set(CANCELLER)
    try:
        return await asyncio.to_thread(world.cancel, run_id)
    finally:
        world.store.leave(CANCELLER)


def check_agreement(world: World, run_id: str, answer) -> RunStatus:
    """The canceller's answer agrees with what any reader finds afterwards."""
    (final,) = [record.status for record in world.store.records() if record.run_id == run_id]
    acknowledged = answer.cancel_requested or answer.status is RunStatus.CANCELLED
    assert final is (RunStatus.CANCELLED if acknowledged else RunStatus.COMPLETED)
    assert not answer.status.final or answer.status is final
    view = world.runs.get(component(), run_id)
    assert (view.record.status, view.show()["status"]) == (final, final)
    assert view.show()["content"] == "Hello world"
    return final


@pytest.mark.parametrize("stream", [False, True])
async def test_a_running_run(stream):
    finals, orders = set(), set()
    for schedule in SCHEDULES:
        world = World(store=ScheduledStore(schedule))
        execution = await world.held(stream=stream)
        run_id = execution.record.run_id
        canceller = asyncio.create_task(cancelled(world, run_id))
        world.engine.runs[0].release()
        events = names(await collect(execution))
        ended = await execution.result()
        world.store.leave(EXECUTOR)
        final = check_agreement(world, run_id, await canceller)
        assert (ended.record.status, ended.output.run["status"]) == (final, final)
        if stream:
            terminal = ["RunCancelled", "RunCompleted"] if final is RunStatus.CANCELLED else ["RunCompleted"]
            assert [name for name in events if name in ("RunCancelled", "RunCompleted")][1:] == terminal
        finals.add(final)
        orders.add(tuple(world.store.calls))
    assert finals == {RunStatus.CANCELLED, RunStatus.COMPLETED}
    assert len(orders) >= 3


async def test_a_run_that_a_worker_takes():
    finals, orders = set(), set()
    for schedule in SCHEDULES:
        world = World(store=ScheduledStore(schedule))
        run_id = world.enqueue().run_id
        canceller = asyncio.create_task(cancelled(world, run_id))
        ended = await world.work()
        world.store.leave(EXECUTOR)
        answer = await canceller
        if ended is None:
            assert answer.status is RunStatus.CANCELLED
            assert world.engine.runs == []
            finals.add("never started")
        else:
            assert ended.record.status is check_agreement(world, run_id, answer)
            finals.add(ended.record.status)
        orders.add(tuple(world.store.calls))
    assert finals == {"never started", RunStatus.CANCELLED, RunStatus.COMPLETED}
    assert len(orders) >= 10
