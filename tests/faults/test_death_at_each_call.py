"""An executor is killed before and after each call to its store, one call at a time; then the run is swept.

What its clients got, up to its last moment, is compared with what they find.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.memories import DEFAULT_USER
from agentos_lambda.runs.model import RunInput
from agentos_lambda.runs.timing import DUE_STEP_MS, LEASE_MS, REPEAT_AFTER_MS
from tests.clocks import ManualClock
from tests.faults import dying_executor
from tests.runs.world import World, component, names

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
KILLED = -9
END = 10
"""The index of the event that completes the run."""
CALLS = {
    "foreground": ["query", "put_item", *["put_item"] * 5, "transact_write_items"],
    "worker": ["update_item", "get_item", "query", *["put_item"] * 5, "transact_write_items"],
}
"""What an executor asks of DynamoDB: accept or claim, read, log each pack, commit."""


@dataclass
class Heard:
    """What the executor's clients had got when it died."""

    calls: list[str] = field(default_factory=list)
    accepted: bool = False
    events: list[tuple[int, str]] = field(default_factory=list)
    ended: str | None = None
    status: int | None = None


class Executors:
    """Starts executors that die on order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, role: str, run_id: str, kill: tuple[str, int] | None) -> Heard:
        self._process.stdin.write(json.dumps({"as": role, "run_id": run_id, "kill": kill}) + "\n")
        self._process.stdin.flush()
        heard = Heard()
        for line in self._process.stdout:
            match json.loads(line):
                case ["call", name]:
                    heard.calls.append(name)
                case ["accepted"]:
                    heard.accepted = True
                case ["event", index, name]:
                    heard.events.append((index, name))
                case ["ended", status]:
                    heard.ended = status
                case ["gone", status]:
                    heard.status = status
                    return heard
        raise AssertionError("the executors are gone")


@pytest.fixture
def executors(ministack_aws):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "agentos_lambda"), str(ROOT)]),
        "AWS_ENDPOINT_URL": ministack_aws.url,
        "AWS_ACCESS_KEY_ID": ministack_aws.account,
        "AWS_SECRET_ACCESS_KEY": "not-checked",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, dying_executor.__file__]
    with subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, text=True) as process:
        yield Executors(process)
        process.stdin.close()


@pytest.fixture
def world(ministack_aws) -> World:
    """All other actors, in this process."""
    clock = ManualClock()
    return World(store=ministack_aws.store(clock), clock=clock, new_id=lambda: os.urandom(8).hex())


def prepare(world: World, role: str, run_id: str) -> None:
    if role == "worker":
        world.intake.enqueue(StartRun(component(), RunInput("hi"), "session-1", run_id=run_id, background=True))
        world.queue.waiting.clear()  # the executor gets its message


@pytest.mark.parametrize("role", list(CALLS))
def test_an_executor_that_survives_makes_these_calls_and_completes_its_run(executors, world, role):
    prepare(world, role, "run")
    heard = executors.run(role, "run", None)
    assert (heard.calls, heard.ended, heard.status) == (CALLS[role], "COMPLETED", 0)
    assert world.store.get("run").status is RunStatus.COMPLETED
    assert remembered(world) == ["run"]


@pytest.mark.parametrize("role", list(CALLS))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_whose_executor_is_killed_at_any_call_ends_as_its_clients_heard(executors, world, role, moment):
    for place in range(1, len(CALLS[role]) + 1):
        run_id = f"run-{place}"
        prepare(world, role, run_id)
        heard = executors.run(role, run_id, (moment, place))
        assert heard.status == KILLED
        assert len(heard.calls) == place
        check_after_a_sweep(world, role, run_id, heard, moment)
        completed = [f"run-{each}" for each in range(1, place + 1) if is_completed(world.store.get(f"run-{each}"))]
        assert remembered(world) == completed


def is_completed(record):
    return record is not None and record.status is RunStatus.COMPLETED


def remembered(world):
    """The ids of the runs of which something is known, each as often as it is."""
    return sorted(memory.memory_id for memory in world.store.memories_of(DEFAULT_USER))


def check_after_a_sweep(world, role, run_id, heard, moment):
    before = world.store.get(run_id)
    logged = [] if before is None else list(world.store.read(before, after=-1))
    world.clock.advance(max(LEASE_MS, REPEAT_AFTER_MS) + DUE_STEP_MS)
    world.sweeper.sweep()
    record = world.store.get(run_id)
    write = heard.calls[-1] if moment == "after" else None
    if heard.calls == CALLS[role] and write == "transact_write_items":
        assert (record, record.status) == (before, RunStatus.COMPLETED)
    elif before is None:
        assert not heard.accepted  # it died before anybody had promised anything
        assert record is None
    elif before.status is RunStatus.PENDING:
        assert (record.status, record.sends) == (RunStatus.PENDING, 2)  # it waits for the next worker
    else:
        assert (record.status, record.error) == (RunStatus.ERROR, "execution lost")
        log = world.store.read(record, after=-1)
        assert log[: len(logged)] == logged
        assert names(log[len(logged) :]) == ["RunError"]
        # Who has got events that were not logged yet comes back with the last index, and gets the end.
        assert all(index < log[-1].index for index, _ in heard.events)
    assert heard.ended is None
    assert all(index < END for index, _ in heard.events)
