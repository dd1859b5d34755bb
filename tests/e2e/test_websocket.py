"""The workflow WebSocket of the deployed stack."""

from __future__ import annotations

import pytest

from tests.e2e import emulator
from tests.local.websocket_client import Client, indexes, text_of

pytestmark = pytest.mark.build

END = "WorkflowCompleted"


@pytest.fixture
def url(deployment):
    return emulator.websocket_url(deployment.cloud, deployment.outputs["WebSocketUrl"])


@pytest.fixture
def client(deployment, url):
    with Client(url, deployment.key) as client:
        yield client


def test_a_client_is_greeted_without_sending_anything_and_has_to_authenticate(url):
    with Client(url) as client:
        assert (client.hello["event"], client.hello["requires_auth"]) == ("connected", True)
        assert client.ask(action="ping")["event"] == "auth_required"
        assert client.ask(action="authenticate", token="guess")["event"] == "auth_error"


def test_a_run_is_told_to_its_end_and_had_again_from_another_connection(deployment, url, api, client):
    client.send(action="start-workflow", workflow_id="letter", message="[slow 20ms] one two three four")
    told = client.until(END)
    assert indexes(told) == sorted(set(indexes(told)))
    assert text_of(told).endswith("you said: one two three four")
    run_id = told[0]["run_id"]
    assert api.get(f"/workflows/letter/runs/{run_id}").json()["status"] == "COMPLETED"
    with Client(url, deployment.key) as second:
        second.send(action="reconnect", run_id=run_id, last_event_index=indexes(told)[2])
        replay = second.until(END)
    assert replay[0]["event"] == "replay"
    assert indexes(replay)[0] == indexes(told)[2] + 1
    assert indexes(replay)[-1] == indexes(told)[-1]


def test_a_run_is_followed_live_from_a_connection_that_comes_late(deployment, url, client):
    words = " ".join(f"word-{place}" for place in range(150))
    client.send(action="start-workflow", workflow_id="letter", message=f"[slow 20ms] {words}")
    seen = client.until("RunContent")
    with Client(url, deployment.key) as second:
        second.send(action="reconnect", run_id=seen[0]["run_id"], last_event_index=indexes(seen)[-1])
        rest = second.until(END)
    assert text_of(seen + rest).endswith(words)
    assert indexes(seen + rest) == sorted(set(indexes(seen + rest)))


def test_a_run_is_cancelled_over_the_socket(api, client):
    client.send(action="start-workflow", workflow_id="letter", message="[slow 50ms] " + "word " * 300)
    run_id = client.until("RunContent")[0]["run_id"]
    client.send(action="cancel-workflow", workflow_id="letter", run_id=run_id)
    assert [message["event"] for message in client.until(END)][-2:] == ["WorkflowCancelled", END]
    assert api.get(f"/workflows/letter/runs/{run_id}").json()["status"] == "CANCELLED"


def test_a_bad_message_is_an_error_and_the_connection_stays(client):
    client.socket.send("not json")
    assert client.receive()["event"] == "error"
    assert client.ask(action="ping") == {"event": "pong"}
