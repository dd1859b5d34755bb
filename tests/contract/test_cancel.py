"""Cancel on the running stack: whatever a run is in the middle of, and from other processes than the run's own."""

import json
import random
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import PATHS, events_of
from tests.waiting import until

IN_TIME = 2.0
"""Seconds that a run may go on after its cancel was answered."""

MIDDLES = {
    "a streamed answer": ("/agents/slow/runs", "[slow 50ms] " + "word " * 400, "RunContent"),
    "a model call that is never answered": ("/agents/silent/runs", "hello", "RunContent"),
    "a sync tool that blocks": ("/agents/probe/runs", 'call block {"seconds": 60}', "ToolCallStarted"),
    "a team's own model call": ("/teams/crew/runs", "[hang]", "TeamModelRequestStarted"),
    "a team's member": ("/teams/crew/runs", "ask silent: hello", "RunContent"),
    "an agent in a workflow's step": ("/workflows/quiet-steps/runs", "hello", "RunContent"),
    "a function in a workflow's step": ("/workflows/stuck-steps/runs", "hello", "StepCompleted"),
}
TERMINAL = {
    "agents": ["RunCancelled", "RunCompleted"],
    "teams": ["TeamRunCancelled", "TeamRunCompleted"],
    "workflows": ["WorkflowCancelled", "WorkflowCompleted"],
}


def cancel_by_curl(stack, path: str, run_id: str) -> dict:
    url = f"{stack.url}{path}/{run_id}/cancel"
    done = subprocess.run(["curl", "-sS", "--fail", "-X", "POST", url], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def seconds_after_cancel(cloud, run_id: str) -> float:
    """From the moment that the cancel was flagged to the commit, by the record."""
    record = cloud.record(run_id)
    return (int(record["ended_at"]["N"]) - int(record["cancel_requested_at"]["N"])) / 1000


def content_so_far(run: dict) -> str:
    steps = [str(step["content"]) for step in run.get("step_results") or []]
    return " ".join([str(run["content"]), *steps])


@pytest.mark.parametrize("middle", MIDDLES)
def test_a_streamed_run_is_cancelled_in_time_and_keeps_what_it_has(stack, client, cloud, fresh_id, middle):
    path, message, reached = MIDDLES[middle]
    said = ""
    names = []
    body = {"message": message, "stream": "true", "run_id": fresh_id}
    with client.stream("POST", path, data=body) as answer:
        events = events_of(answer.iter_lines())
        for event in events:
            names.append(event["event"])
            said += event["content"] if event["event"] == "RunContent" else ""
            if event["event"] == reached:
                break
        cancelled = cancel_by_curl(stack, path, fresh_id)
        assert cancelled == {"run_id": fresh_id, "status": "RUNNING", "cancel_requested": True}
        names += [event["event"] for event in events]
    assert names[-2:] == TERMINAL[path.split("/")[1]]
    run = client.get(f"{path}/{fresh_id}").json()
    assert run["status"] == "CANCELLED"
    assert said in content_so_far(run)
    assert seconds_after_cancel(cloud, fresh_id) < IN_TIME


@pytest.mark.parametrize(
    "middle",
    [
        "a model call that is never answered",
        "a sync tool that blocks",
        "a team's member",
        "a function in a workflow's step",
    ],
)
def test_a_run_without_a_stream_is_cancelled_in_time(stack, client, cloud, fresh_id, middle):
    path, message, _ = MIDDLES[middle]

    def seconds(run_id: str) -> float:
        with ThreadPoolExecutor(1) as other:
            answer = other.submit(client.post, path, data={"message": message, "run_id": run_id})
            until(lambda: client.get(f"{path}/{run_id}").status_code == 200)
            assert cancel_by_curl(stack, path, run_id)["cancel_requested"] is True
            run = answer.result(10).json()
        assert (run["run_id"], run["status"]) == (run_id, "CANCELLED")
        assert client.get(f"{path}/{run_id}").json() == run
        return seconds_after_cancel(cloud, run_id)

    # The best of three: nobody hears when such a run has started, so a cancel may come during a cold start.
    assert any(seconds(f"{fresh_id}-{attempt}") < IN_TIME for attempt in range(3))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_run_that_has_ended_stays_as_it_is(client, kind):
    for message, status in (("Hello", "COMPLETED"), ("[fail]", "ERROR" if kind is not Kind.WORKFLOW else "COMPLETED")):
        run = client.post(PATHS[kind], data={"message": message}).json()
        assert run["status"] == status
        for _ in range(2):
            cancelled = client.post(f"{PATHS[kind]}/{run['run_id']}/cancel")
            expected = {"run_id": run["run_id"], "status": status, "cancel_requested": False}
            assert (cancelled.status_code, cancelled.json()) == (200, expected)
        assert client.get(f"{PATHS[kind]}/{run['run_id']}").json() == run


@pytest.mark.parametrize("kind", list(Kind))
def test_a_run_that_is_unknown_or_anothers_is_not_found(client, kind):
    other = next(found for found in Kind if found is not kind)
    run = client.post(PATHS[other], data={"message": "Hello"}).json()
    for run_id in ("never-seen", run["run_id"]):
        answer = client.post(f"{PATHS[kind]}/{run_id}/cancel")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Run not found", "error_code": "NOT_FOUND"})
    if kind is Kind.AGENT:
        mine = client.post(PATHS[kind], data={"message": "Hello"}).json()["run_id"]
        assert client.post(f"/agents/companion/runs/{mine}/cancel").status_code == 404


def test_a_cancel_of_a_run_that_is_just_finishing_agrees_with_its_end(stack, client, fresh_id):
    """Random moments on the real stack; every interleaving is driven in tests/runs/test_cancel_races.py."""
    moments = random.Random(7)  # noqa: S311 - the same moments in every run of the test
    seen = set()
    for number in range(12):
        run_id, go = f"{fresh_id}-{number}", threading.Event()

        def run(run_id: str = run_id, go: threading.Event = go) -> httpx.Response:
            go.set()
            return client.post(PATHS[Kind.AGENT], data={"message": "[slow 4ms] Hello", "run_id": run_id})

        with ThreadPoolExecutor(1) as other:
            answer = other.submit(run)
            go.wait(5)
            until(lambda run_id=run_id: client.get(f"{PATHS[Kind.AGENT]}/{run_id}").status_code == 200)
            threading.Event().wait(moments.uniform(0, 0.08))
            cancelled = client.post(f"{PATHS[Kind.AGENT]}/{run_id}/cancel").json()
            ran = answer.result(10).json()
        final = client.get(f"{PATHS[Kind.AGENT]}/{run_id}").json()
        assert final["status"] == ran["status"]
        assert cancelled["cancel_requested"] is (final["status"] == "CANCELLED"), (cancelled, final["status"])
        seen.add(final["status"])
    assert "CANCELLED" in seen
