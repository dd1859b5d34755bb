"""What the logs hold after runs of all sorts, as detailed as can be: each run's story, and nobody's words."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.e2e.client import wait_for
from tests.e2e.deployment import STACK, Deployment
from tests.waiting import until

pytestmark = pytest.mark.build

RUNS = "/agents/assistant/runs"
PROMPT = "cobalt-elephant"
ANSWER = "you said: cobalt-elephant"


def messages(deployment: Deployment) -> list[str]:
    return [message for _, message in deployment.log()]


def story(deployment: Deployment, run_id: str) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages(deployment) if f'"run_id": "{run_id}"' in message]


def metrics(lines: list[dict[str, Any]]) -> list[str]:
    directives = [directive for line in lines for directive in line["_aws"]["CloudWatchMetrics"]]
    return [metric["Name"] for directive in directives for metric in directive["Metrics"]]


@pytest.fixture(scope="module")
def runs(deployment: Deployment, api: httpx.Client) -> dict[str, str]:
    """Run ids: of a run that was answered, one that failed, one that a worker has executed."""
    with httpx.Client(base_url=deployment.url, headers={"Authorization": "Bearer mauve-key"}) as wrong:
        assert wrong.get("/config").status_code == 401
    upload = {"files": ("notes.txt", PROMPT.encode(), "text/plain")}
    answered = api.post(RUNS, data={"message": PROMPT, "stream": "false"}, files=upload).json()
    failed = api.post(RUNS, json={"message": f"[fail {PROMPT}]"}).json()
    assert failed["status"] == "ERROR"
    queued = api.post(RUNS, json={"message": PROMPT, "background": True}).json()
    wait_for(api, f"{RUNS}/{queued['run_id']}", "COMPLETED")
    until(lambda: "RunsCompleted" in metrics(story(deployment, queued["run_id"])))
    return {"answered": answered["run_id"], "failed": failed["run_id"], "queued": queued["run_id"]}


def test_each_run_tells_its_story_in_numbers(deployment, runs):
    ends = {"answered": "RunsCompleted", "failed": "RunsFailed", "queued": "RunsCompleted"}
    for name, run_id in runs.items():
        told = story(deployment, run_id)
        assert [metric for metric in metrics(told) if metric.startswith("Runs")] == ["RunsStarted", ends[name]]
        assert {line["Stack"] for line in told} == {STACK}
        assert all(line["session_id"] and line["kind"] == "agent" for line in told)


def test_the_logs_hold_no_key_no_prompt_and_no_answer(deployment, api, runs):
    key = deployment.key
    for message in messages(deployment):
        for secret in (key, "mauve-key", PROMPT, ANSWER, "you said"):
            assert secret not in message


def test_cold_starts_are_counted(deployment, runs):
    assert any('"ColdStarts": 1' in message for message in messages(deployment))
