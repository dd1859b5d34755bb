"""The API as ``sam local start-api`` serves it: the built functions in containers, answers whole."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.e2e.client import wait_for
from tests.e2e.sse import indexes, names

pytestmark = pytest.mark.docker

COMPONENTS = {"agents": "assistant", "teams": "newsroom", "workflows": "letter"}
RUNS = "/agents/assistant/runs"


@pytest.mark.parametrize("path", ["/", "/health", "/info", "/docs", "/openapi.json"])
def test_what_is_open_needs_no_key(stranger, path):
    assert stranger.get(path).status_code == 200


def test_there_is_no_websocket_and_info_says_so(stranger):
    info = stranger.get("/info").json()
    assert (info["auth_mode"], info["websocket_url"]) == ("security_key", None)


@pytest.mark.parametrize("path", ["/config", "/agents"])
def test_the_key_is_asked_for_and_compared_with_the_secret(stranger, api, path):
    refused = stranger.get(path)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHORIZED")
    wrong = stranger.get(path, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["detail"]) == (401, "Invalid authentication token")
    assert api.get(path).status_code == 200


def test_an_unknown_path_is_answered_by_sam_in_its_own_words(api):
    answer = api.get("/nowhere")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_a_function_refuses_in_the_one_format(api):
    answer = api.get("/agents/nobody")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("kind", COMPONENTS)
@pytest.mark.parametrize("form", [True, False])
def test_a_run_is_answered_and_kept(api, kind, form):
    runs = f"/{kind}/{COMPONENTS[kind]}/runs"
    answered = api.post(runs, **{"data" if form else "json": {"message": "hello"}})
    assert answered.status_code == 200
    run = answered.json()
    assert (run["status"], "you said: hello" in run["content"]) == ("COMPLETED", True)
    assert api.get(f"{runs}/{run['run_id']}").json()["content"] == run["content"]


def test_events_of_a_streamed_run_come_in_one_piece(api):
    answer = api.post(RUNS, data={"message": "hello", "stream": "true"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (names(answer.text)[0], names(answer.text)[-1]) == ("RunStarted", "RunCompleted")
    assert indexes(answer.text) == sorted(set(indexes(answer.text)))


def test_a_file_reaches_its_component_byte_by_byte(api):
    content = bytes(range(256)) * 100
    answer = api.post(RUNS, data={"message": "look"}, files={"files": ("a.png", content, "image/png")}).json()
    assert f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}" in answer["content"]


def test_a_background_run_is_executed_beside_sam(api):
    accepted = api.post(RUNS, json={"message": "hello", "background": True})
    assert (accepted.status_code, accepted.json()["status"]) == (202, "PENDING")
    assert "you said: hello" in wait_for(api, f"{RUNS}/{accepted.json()['run_id']}", "COMPLETED")["content"]


def test_a_background_run_is_cancelled_and_never_completed(api):
    path = f"{RUNS}/{api.post(RUNS, json={'message': '[hang]', 'background': True}).json()['run_id']}"
    wait_for(api, path, "RUNNING")
    assert api.post(f"{path}/cancel").json()["cancel_requested"] is True
    wait_for(api, path, "CANCELLED")


def test_a_run_that_asks_goes_on_when_it_is_answered(api):
    message = 'call send_letter {"to": "Ada", "text": "Good morning!"}'
    paused = api.post("/agents/clerk/runs", json={"message": message}).json()
    assert paused["status"] == "PAUSED"
    tools = json.dumps([{**tool, "confirmed": True} for tool in paused["tools"]])
    answer = api.post(f"/agents/clerk/runs/{paused['run_id']}/continue", data={"tools": tools})
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    assert "send_letter gave: " in answer.json()["content"]
