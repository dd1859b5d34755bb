"""Races between processes, stopped at the moment that decides: just before a write leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from agentos_lambda.protocol.values import RunStatus
from tests.cloud import REGION
from tests.stores.builders import (
    NOW,
    contents,
    delta,
    ending,
    list_runs,
    load,
    output,
    pack,
    pending,
    running,
    take_over,
)

ROUNDS = 25
REPOSITORY = Path(__file__).parents[3]


class Executor:
    """The other end of ``executor_process``, which works in one account after the other."""

    def __init__(self, process):
        self.account = ""
        self._process = process
        self._paused = self._works = False

    def start(self, do, *, pause_before, **parameters):
        """Let it go until it pauses."""
        self._write({"account": self.account, "do": do, "pause_before": pause_before, **parameters})
        told = self._read()
        self._paused = self._works = told == "paused"
        assert told == "paused"

    def release(self):
        self._write({})
        self._paused = False

    def outcome(self):
        told = self._read()
        self._works = False
        return told

    def settle(self):
        """Have it end what a test that failed has left it with."""
        if self._paused:
            self.release()
        if self._works:
            self.outcome()

    def _write(self, line):
        self._process.stdin.write(f"{json.dumps(line)}\n")
        self._process.stdin.flush()

    def _read(self):
        return json.loads(self._process.stdout.readline())


@contextmanager
def executor_process(url):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "layers" / "agentos_lambda")]),
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
    }
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("executor_process.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Executor(process)
        finally:
            process.kill()


@pytest.fixture
def store(ministack_aws):
    return ministack_aws.store()


@pytest.fixture(scope="module")
def processes(cloud_url):
    """For all tests: to start them takes longer than most races."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(executor_process(cloud_url)) for name in ("first", "second")}


@pytest.fixture
def two_executors(processes, ministack_aws):
    for executor in processes.values():
        executor.account = ministack_aws.account
    yield processes
    for executor in processes.values():
        executor.settle()


@pytest.fixture
def executor(two_executors):
    return two_executors["first"]


def race(executors, do, **parameters):
    """Stop both before the same write, let both go at once; the name of the one who won."""
    for name, executor in executors.items():
        executor.start(do, executor=name, **parameters)
    for executor in executors.values():
        executor.release()
    outcomes = {executor.outcome(): name for name, executor in executors.items()}
    assert set(outcomes) == {"done", "ClaimLost"}
    return outcomes["done"]


def test_of_two_processes_that_claim_a_waiting_run_exactly_one_wins(store, two_executors):
    for place in range(ROUNDS):
        store.accept(pending(f"run-{place}"))
        winner = race(two_executors, "claim", run_id=f"run-{place}", pause_before="UpdateItem")
        record = store.get(f"run-{place}")
        assert (record.executor, record.attempt, record.tries) == (winner, 1, 1)


def test_of_two_processes_that_take_a_run_over_exactly_one_wins(store, two_executors):
    for place in range(ROUNDS):
        store.accept(running(f"run-{place}"))
        store.append(f"run-{place}", 1, pack(0, "a"))
        # The first update finds out that the run does not wait; the second claims, after the log was read.
        winner = race(two_executors, "take_over", run_id=f"run-{place}", pause_before="UpdateItem", pause_at=2)
        record = store.get(f"run-{place}")
        assert (record.executor, record.attempt, record.tries, record.seals) == (winner, 2, 2, {1: 0})


def test_nothing_of_an_executor_that_was_replaced_before_its_last_write_is_visible(store, executor):
    store.accept(pending())
    executor.start("execute", run_id="run-1", executor="stalled", pause_before="TransactWriteItems")
    second = take_over(store, executor="rescuer")
    ended = store.commit(
        ending(
            second,
            output=output("rescuer"),
            session=delta(last="rescuer"),
            last_events=pack(1, "end of rescuer"),
            sealed_at=1,
        )
    )
    executor.release()
    assert executor.outcome() == "Fenced"
    assert store.get("run-1") == ended
    assert store.output(ended) == output("rescuer")
    assert [run.output for run in list_runs(store)] == [output("rescuer")]
    assert load(store).fields == {"state:last": "rescuer"}
    assert contents(store.read(ended, after=-1)) == [(0, "logged in time"), (1, "end of rescuer")]


def test_an_append_that_stalled_is_not_visible_after_the_takeover(store, executor):
    store.accept(running())
    store.append("run-1", 1, pack(0, "logged in time"))
    executor.start("append", run_id="run-1", executor="stalled", pause_before="PutItem")
    second = take_over(store)
    store.append("run-1", 2, pack(1, "text of the rescuer"))
    executor.release()
    assert executor.outcome() == "done"
    expected = [(0, "logged in time"), (1, "text of the rescuer")]
    assert contents(store.read(second, after=-1)) == expected
    ended = store.commit(ending(second, sealed_at=1))
    assert contents(store.read(ended, after=-1)) == expected


def test_an_executor_that_ends_its_run_while_another_takes_it_over_keeps_it(store, executor):
    """The log was read, the run was ended, and only then comes the claim with what it has read."""
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    executor.start("take_over", run_id="run-1", executor="late", pause_before="UpdateItem", pause_at=2)
    ended = store.commit(ending(record, last_events=pack(1, "end"), sealed_at=1))
    executor.release()
    assert executor.outcome() == "ClaimLost"
    assert store.get("run-1") == ended
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


def test_a_takeover_that_was_overtaken_does_not_seal_another_attempt(store, executor):
    """Meanwhile another has taken the run over, and has died as well."""
    store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    executor.start("take_over", run_id="run-1", executor="late", pause_before="UpdateItem", pause_at=2)
    second = store.claim("run-1", executor="dead too", lease_until=NOW, expired_before=NOW * 2)
    store.append("run-1", 2, pack(1, "b"))
    executor.release()
    assert executor.outcome() == "ClaimLost"
    assert store.get("run-1") == second
    third = take_over(store)
    assert contents(store.read(third, after=-1)) == [(0, "a"), (1, "b")]


def test_a_lease_renewed_at_the_last_moment_keeps_the_run(store, executor):
    record = store.accept(running())
    executor.start("take_over", run_id="run-1", executor="late", pause_before="UpdateItem", pause_at=2)
    renewed = store.renew(record, lease_until=NOW * 2)
    executor.release()
    assert executor.outcome() == "ClaimLost"
    assert store.get("run-1") == renewed


def test_a_cancel_that_comes_just_before_the_commit_wins(store, executor):
    store.accept(pending())
    executor.start("execute", run_id="run-1", executor="running", pause_before="TransactWriteItems")
    flagged = store.flag_cancel(store.get("run-1"), now=NOW + 1)
    executor.release()
    assert executor.outcome() == "CancelWins"
    assert store.get("run-1") == flagged
    assert load(store) is None


def test_two_processes_that_commit_into_one_session_at_once_lose_nothing_of_each_other(store, two_executors):
    for name, executor in two_executors.items():
        store.accept(pending(f"run-{name}"))
        executor.start("execute", run_id=f"run-{name}", executor=name, pause_before="TransactWriteItems")
    for executor in two_executors.values():
        executor.release()
    assert [executor.outcome() for executor in two_executors.values()] == ["done", "done"]
    session = load(store)
    assert session.fields.pop("state:last") in two_executors
    assert session.fields == {"state:first": True, "state:second": True}
    assert {run.output.run["content"] for run in list_runs(store)} == {"first", "second"}
    assert all(store.get(f"run-{name}").status is RunStatus.COMPLETED for name in two_executors)
