"""The examples of the AgentOS API reference, as a reader types them: only the host is another one."""

import json
import subprocess

import requests


def test_an_agent_run_posted_as_json_is_streamed_line_by_line(stack):
    url = f"{stack.url}/agents/assistant/runs"
    headers = {"Content-Type": "application/json"}
    data = {"message": "add 2 and 3", "stream": True, "session_id": "session_123"}

    response = requests.post(url, headers=headers, json=data, stream=True, timeout=60)

    lines = [line.decode("utf-8") for line in response.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data_lines = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert (names[0], names[-1]) == ("RunStarted", "RunCompleted")
    assert "ToolCallCompleted" in names
    assert [event["event"] for event in data_lines] == names
    assert {event["session_id"] for event in data_lines} == {"session_123"}
    assert data_lines[-1]["content"] == "add gave: 5.0"


def curl(*arguments: str) -> str:
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_same_by_curl(stack):
    printed = curl(
        *("--location", f"{stack.url}/agents/assistant/runs", "--header", "Content-Type: application/json"),
        *("--data", '{"message": "Hello", "stream": true, "session_id": "session_124"}', "--no-buffer"),
    )
    assert printed.startswith("event: RunStarted\n")
    frames = printed.removesuffix("\n\n").split("\n\n")
    assert frames[-1].startswith("event: RunCompleted\n")
    assert all([line.partition(":")[0] for line in frame.splitlines()] == ["event", "id", "data"] for frame in frames)


def test_a_form_with_curl_is_answered_with_the_run(stack):
    run = json.loads(curl(f"{stack.url}/agents/assistant/runs", "-F", "message=Hello", "-F", "stream=false"))
    assert (run["status"], run["content"]) == ("COMPLETED", "I am the demo model, and you said: Hello")


def test_the_configuration_tells_the_components_and_their_prompts(stack):
    config = requests.get(f"{stack.url}/config", timeout=60).json()
    assert {"os_id", "databases", "chat", "available_models", "agents", "teams", "workflows", "interfaces"} <= set(
        config
    )
    assert "add 2 and 3" in config["chat"]["quick_prompts"]["assistant"]
    assert "assistant" in [agent["id"] for agent in config["agents"]]


def test_a_run_is_cancelled_by_curl(stack):
    run = json.loads(curl(f"{stack.url}/agents/assistant/runs", "-F", "message=Hello"))
    cancelled = json.loads(curl("--request", "POST", f"{stack.url}/agents/assistant/runs/{run['run_id']}/cancel"))
    assert cancelled == {"run_id": run["run_id"], "status": "COMPLETED", "cancel_requested": False}


def test_a_workflow_run_takes_an_object_as_its_input(stack):
    body = {"input": {}, "user_id": "user_123", "session_id": "session_125"}
    answer = requests.post(f"{stack.url}/workflows/letter/runs", json=body, timeout=60)
    run = answer.json()
    assert answer.status_code == 200, run
    assert (run["status"], run["input"], run["session_id"]) == ("COMPLETED", {}, "session_125")
    assert [step["step_name"] for step in run["step_results"]] == ["write", "sign"]
    assert run["content"].endswith("Signed: the workflow")
    body = {"input": {"topic": "ships"}, "user_id": "user_123", "session_id": "session_125"}
    run = requests.post(f"{stack.url}/workflows/letter/runs", json=body, timeout=60).json()
    assert "ships" in run["content"]
