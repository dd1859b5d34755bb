"""What a client can still do while every environment that executes runs hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from agentos_lambda.protocol.values import Kind
from tests.waiting import until

SAMPLE = {Kind.AGENT: "assistant", Kind.TEAM: "newsroom", Kind.WORKFLOW: "letter"}
RUNS = {kind: f"/{kind.plural}/{component}/runs" for kind, component in SAMPLE.items()}
ANSWER_SECONDS = 1.0
"""The longest that a cancel may take to be answered."""
CANCEL_SECONDS = 2.0
"""The longest that the run may go on after that."""


@contextmanager
def all_environments_hang(client: httpx.Client, *, runs: int) -> Iterator[list[str]]:
    """The paths of runs of which one hangs in each kind's function and one in the worker, while the others wait.

    Each of these functions has one environment.
    """
    background = [_background(client) for _ in range(runs - len(Kind))]
    until(lambda: _status(client, background[0]) == "RUNNING", 60)
    foreground = [f"{path}/hangs-{kind}" for kind, path in RUNS.items()]
    with ThreadPoolExecutor(len(Kind)) as callers:
        for path in foreground:
            collection, _, run_id = path.rpartition("/")
            callers.submit(client.post, collection, data={"message": "[hang]", "run_id": run_id}, timeout=120)
        try:
            until(lambda: all(_status(client, path) == "RUNNING" for path in foreground), 60)
            # The worker has the oldest. If that is cancelled after the others, the worker begins with none of them.
            yield [*reversed(background), *foreground]
        finally:
            for path in foreground:
                client.post(f"{path}/cancel")


def cancel(client: httpx.Client, path: str) -> tuple[float, float]:
    """Seconds until the cancel was answered, and from then until the run is CANCELLED."""
    begun = time.monotonic()
    answer = client.post(f"{path}/cancel")
    answered = time.monotonic()
    assert answer.status_code == 200, answer.text
    until(lambda: _status(client, path) == "CANCELLED", 10)
    return answered - begun, time.monotonic() - answered


def assert_cancelled_in_time(client: httpx.Client, paths: Sequence[str]) -> None:
    """Cancels every run, one after the other."""
    for path in paths:
        busy = _pace(client)
        answered, cancelled = cancel(client, path)
        assert answered < ANSWER_SECONDS + busy, path
        assert cancelled < CANCEL_SECONDS + busy, path


def assert_lists_and_reads_answer(client: httpx.Client, path: str) -> None:
    """Of every kind; and the run at ``path``, by its record and by its log."""
    for kind, component in SAMPLE.items():
        assert component in [each["id"] for each in client.get(f"/{kind.plural}").json()]
        assert client.get(f"/{kind.plural}/{component}").json()["id"] == component
        listed = client.get(RUNS[kind], params={"session_id": "of-nobody"})
        assert (listed.status_code, listed.json()["detail"]) == (404, "Session not found")
    assert client.get(path).json()["status"] == "RUNNING"


def _background(client: httpx.Client) -> str:
    accepted = client.post(RUNS[Kind.AGENT], data={"message": "[hang]", "background": "true"})
    assert accepted.status_code == 202, accepted.text
    return f"{RUNS[Kind.AGENT]}/{accepted.json()['run_id']}"


def _pace(client: httpx.Client) -> float:
    """Seconds that this machine takes for what is next to nothing, ten times: other tests run on it, too."""
    begun = time.monotonic()
    assert client.get("/health").status_code == 200
    return 10 * (time.monotonic() - begun)


def _status(client: httpx.Client, path: str) -> str:
    status: str = client.get(path).json().get("status", "")
    return status
