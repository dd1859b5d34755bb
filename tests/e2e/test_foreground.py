"""Runs that answer the request that has started them."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.sse import events, indexes, names
from tests.waiting import until

pytestmark = pytest.mark.build

COMPONENTS = {"agents": "assistant", "teams": "newsroom", "workflows": "letter"}
PREFIXES = {"agents": "Run", "teams": "TeamRun", "workflows": "Workflow"}


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_run_is_answered_and_kept(api, other, kind):
    runs = f"/{kind}/{COMPONENTS[kind]}/runs"
    answered = api.post(runs, json={"message": "hello"})
    assert answered.status_code == 200
    run = answered.json()
    assert (run["status"], "you said: hello" in run["content"]) == ("COMPLETED", True)
    kept = other.get(f"{runs}/{run['run_id']}").json()
    assert (kept["status"], kept["content"]) == ("COMPLETED", run["content"])
    listed = other.get(runs, params={"session_id": run["session_id"]}).json()
    assert [each["run_id"] for each in listed] == [run["run_id"]]


@pytest.mark.parametrize("kind", COMPONENTS)
def test_a_streamed_run_gives_numbered_events_to_its_end(api, kind):
    answer = api.post(f"/{kind}/{COMPONENTS[kind]}/runs", data={"message": "hello", "stream": "true"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    told = names(answer.text)
    assert told[0] == f"{PREFIXES[kind]}Started"
    assert told[-1] == f"{PREFIXES[kind]}Completed"
    assert indexes(answer.text) == sorted(set(indexes(answer.text)))


def test_a_member_works_for_its_team(api):
    run = api.post("/teams/newsroom/runs", json={"message": "ask researcher: what is a queue?"}).json()
    assert run["status"] == "COMPLETED"
    assert [member["agent_id"] for member in run["member_responses"]] == ["researcher"]


def test_a_session_remembers_what_another_environment_was_told(api, other):
    session = {"session_id": "remembering"}
    assert api.post("/agents/companion/runs", data={"message": "My name is Ada.", **session}).status_code == 200
    answer = other.post("/agents/companion/runs", data={"message": "what did I say?", **session}).json()
    assert answer["content"] == 'You said: "My name is Ada."'


def test_a_file_reaches_its_component_byte_by_byte(api):
    content = bytes(range(256)) * 1000
    answer = api.post(
        "/agents/assistant/runs", data={"message": "look"}, files={"files": ("a.png", content, "image/png")}
    ).json()
    assert f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}" in answer["content"]


def test_what_is_too_large_for_a_table_is_kept_too(api, other, deployment):
    message = os.urandom(100_000).hex()
    run = api.post("/agents/assistant/runs", json={"message": message}).json()
    objects = deployment.client("s3").list_objects_v2(Bucket=deployment.outputs["BucketName"])["Contents"]
    assert any(run["run_id"] in each["Key"] for each in objects)
    assert message in other.get(f"/agents/assistant/runs/{run['run_id']}").json()["content"]


def test_the_same_request_with_the_same_key_is_one_run(api):
    sent = {"json": {"message": "once"}, "headers": {"Idempotency-Key": "e2e-once"}}
    first, second = (api.post("/agents/assistant/runs", **sent).json() for _ in range(2))
    assert first["run_id"] == second["run_id"]


def test_a_component_that_fails_is_a_run_with_an_error(api):
    answer = api.post("/agents/assistant/runs", json={"message": "[fail out of paper]"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ERROR")


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_is_cancelled_by_another_client(api, other, stream):
    run_id = f"cancelled-elsewhere-{stream}".lower()
    path = f"/agents/assistant/runs/{run_id}"
    body = {"message": "[hang]", "run_id": run_id, "stream": stream}
    with ThreadPoolExecutor(1) as background:
        answer = background.submit(api.post, "/agents/assistant/runs", json=body)
        until(lambda: other.get(path).status_code == 200)
        cancelled = other.post(f"{path}/cancel")
        assert (cancelled.status_code, cancelled.json()["cancel_requested"]) == (200, True)
        text = answer.result().text
    assert other.get(path).json()["status"] == "CANCELLED"
    if stream:
        assert [event["event"] for event in events(text)][-2:] == ["RunCancelled", "RunCompleted"]
