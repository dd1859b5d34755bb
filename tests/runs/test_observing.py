"""What an observer sees of runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, MAX_WAIT_MS
from tests.runs.hand_driven import HandDrivenSupervisor
from tests.runs.world import World

pytestmark = pytest.mark.anyio


@dataclass
class Notes:
    """Notes every call."""

    calls: list[tuple[str, str, object]] = field(default_factory=list)

    def started(self, record: RunRecord) -> None:
        self.calls.append((record.run_id, "started", record.attempt))

    def first_event(self, record: RunRecord, *, after_ms: int) -> None:
        self.calls.append((record.run_id, "first event", after_ms))

    def ended(self, record: RunRecord) -> None:
        self.calls.append((record.run_id, "ended", record.status))

    def lost(self, record: RunRecord) -> None:
        self.calls.append((record.run_id, "lost", record.status))

    def unswept(self, run_id: str) -> None:
        self.calls.append((run_id, "unswept", None))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def world(notes: Notes) -> World:
    return World(observer=notes)


async def test_the_start_the_first_event_and_the_commit_of_a_run_are_observed(world, notes):
    await world.run(run_id="r", stream=True)
    assert notes.calls == [("r", "started", 1), ("r", "first event", 0), ("r", "ended", RunStatus.COMPLETED)]


async def test_a_cancelled_run_is_observed_as_cancelled(world, notes):
    execution = await world.held(run_id="r", stream=True)
    world.cancel("r")
    world.engine.runs[-1].cancel()
    await execution.result()
    assert notes.calls[-1] == ("r", "ended", RunStatus.CANCELLED)


async def test_a_lost_run_is_observed_once_and_its_fenced_executor_is_not(world, notes):
    world.supervisor = HandDrivenSupervisor
    execution = await world.held(run_id="r", stream=True)
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    world.sweeper.sweep()
    world.sweeper.sweep()
    world.engine.runs[-1].cancel()
    await execution.result()
    ends = [note for note in notes.calls if note[1] in ("ended", "lost")]
    assert ends == [("r", "lost", RunStatus.ERROR)]


async def test_a_run_whose_executor_dies_before_it_sees_the_cancel_ends_as_cancelled(world, notes):
    world.supervisor = HandDrivenSupervisor
    execution = await world.held(run_id="r", stream=True)
    world.cancel("r")
    world.clock.advance(LEASE_MS + DUE_STEP_MS)
    world.sweeper.sweep()
    world.engine.runs[-1].cancel()
    await execution.result()
    assert [note for note in notes.calls if note[1] in ("ended", "lost")] == [("r", "ended", RunStatus.CANCELLED)]


async def test_a_run_that_no_worker_took_is_observed_as_failed(world, notes):
    record = world.enqueue()
    world.clock.advance(MAX_WAIT_MS)
    world.sweeper.sweep()
    assert notes.calls == [(record.run_id, "ended", RunStatus.ERROR)]


async def test_a_run_that_is_cancelled_while_it_waits_is_observed_as_cancelled_once(world, notes):
    record = world.enqueue()
    world.cancel(record.run_id)
    world.cancel(record.run_id)
    assert notes.calls == [(record.run_id, "ended", RunStatus.CANCELLED)]


async def test_a_run_that_is_cancelled_while_it_is_paused_is_observed_as_cancelled(world, notes):
    world.engine.script["status"] = RunStatus.PAUSED
    await world.run(run_id="r")
    world.cancel("r")
    assert [note[2] for note in notes.calls if note[1] == "ended"] == [RunStatus.PAUSED, RunStatus.CANCELLED]


async def test_a_run_that_cannot_be_swept_is_observed_at_each_sweep(world, notes, monkeypatch):
    record = world.enqueue()
    world.clock.advance(MAX_WAIT_MS)
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "commit", unreadable)
        assert [world.sweeper.sweep().failed for _ in range(2)] == [1, 1]
    assert world.sweeper.sweep().never_started == 1
    assert [note[:2] for note in notes.calls] == [
        (record.run_id, "unswept"),
        (record.run_id, "unswept"),
        (record.run_id, "ended"),
    ]


def unreadable(_ending):
    raise ValueError("what is stored cannot be read")
