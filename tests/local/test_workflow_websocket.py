"""The workflow WebSocket of ``make run``, used by a real client."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from agentos_lambda.aws.functions.wiring import store_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.posts import ManagementApiPosts
from agentos_lambda.websocket.ports import Gone
from local.cloud.session import CloudClients
from local.variables import cloud_access
from tests.local.websocket_client import Client, indexes, text_of
from tests.local.websocket_load import load
from tests.local_stack import KEY, StackProcess
from tests.process import variables_of
from tests.waiting import until

SAID = "I am the demo model, and you said: "
END = "WorkflowCompleted"
LIMIT = 32 * 1024


@pytest.fixture(scope="module")
def whole_stack(closed_stack: StackProcess) -> StackProcess:
    return closed_stack


@pytest.fixture
def url(whole_stack: StackProcess) -> str:
    return f"ws://127.0.0.1:{whole_stack.port}/workflows/ws"


@pytest.fixture
def http(whole_stack: StackProcess) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=whole_stack.url, headers=headers, timeout=30) as http:
        yield http


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, KEY) as client:
        yield client


def start(client: Client, message: str = "hello", workflow_id: str = "talk", **fields: str) -> None:
    client.send(action="start-workflow", workflow_id=workflow_id, message=message, **fields)


def test_the_url_is_in_the_info(http: httpx.Client, url: str) -> None:
    assert http.get("/info").json()["websocket_url"] == url


def test_connected_comes_first_and_once_to_a_client_that_is_silent_and_to_one_that_is_not(url: str) -> None:
    with Client(url) as silent:
        assert (silent.hello["event"], silent.hello["requires_auth"]) == ("connected", True)
        with pytest.raises(TimeoutError):
            silent.receive(timeout=0.5)
    with connect(url) as eager:
        for _ in range(5):
            eager.send('{"action": "ping"}')
        events = [json.loads(eager.recv(20))["event"] for _ in range(6)]
    assert events == ["connected"] + ["auth_required"] * 5


def test_a_wrong_token_may_be_followed_by_the_right_one(url: str) -> None:
    with Client(url) as client:
        assert client.ask(action="ping")["event"] == "auth_required"
        assert client.ask(action="authenticate", token="guess")["event"] == "auth_error"
        assert client.ask(action="authenticate", token=KEY)["event"] == "authenticated"
        assert client.ask(action="ping") == {"event": "pong"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("not json", "not valid JSON"),
        ("[1, 2]", "JSON object"),
        ('{"action": "bogus"}', "Unknown action: bogus"),
        ('{"action": "$connect"}', "Unknown action: $connect"),
        ('{"action": "start-workflow"}', "workflow_id is required"),
        ('{"action": "start-workflow", "workflow_id": "nope"}', "Workflow nope not found"),
        ('{"action": "reconnect", "run_id": "nope"}', "Run nope not found"),
    ],
)
def test_a_bad_message_is_an_error_and_the_connection_stays(client: Client, text: str, error: str) -> None:
    client.socket.send(text)
    answer = client.receive()
    assert answer["event"] == "error"
    assert error in answer["error"]
    assert client.ask(action="ping") == {"event": "pong"}


def test_a_binary_message_closes_with_1003(client: Client) -> None:
    client.socket.send(b'{"action": "ping"}')
    with pytest.raises(ConnectionClosed) as closed:
        client.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


@pytest.mark.parametrize("message", ["x" * (LIMIT + 1), ["x" * LIMIT] * 4 + ["x"]])
def test_a_frame_over_32_kb_or_a_message_over_128_kb_closes_with_1009(client: Client, message: str | list[str]) -> None:
    def ask() -> None:
        client.socket.send(message)  # the other side may close before it has all
        client.receive()

    with pytest.raises(ConnectionClosed) as closed:
        ask()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_message_of_up_to_128_kb_in_frames_of_up_to_32_kb_is_accepted(client: Client) -> None:
    text = json.dumps({"action": "start-workflow", "workflow_id": "nope", "message": "x" * 120_000})
    client.socket.send([text[place : place + LIMIT] for place in range(0, len(text), LIMIT)])
    assert client.receive()["error"] == "Workflow nope not found"


def test_there_is_no_websocket_elsewhere(whole_stack: StackProcess) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{whole_stack.port}/elsewhere")
    assert refused.value.response.status_code == 403


def test_a_client_gets_every_event_of_a_run_that_is_stored_by_the_last(client: Client, http: httpx.Client) -> None:
    start(client, "a letter", session_id="s-1", user_id="alice")
    events = client.until(END)
    assert events[0]["event"] == "WorkflowStarted"
    assert indexes(events) == sorted(set(indexes(events)))
    assert text_of(events) == SAID + "a letter"
    run = http.get(f"/workflows/talk/runs/{events[0]['run_id']}").json()
    assert (run["status"], run["session_id"], run["user_id"]) == ("COMPLETED", "s-1", "alice")
    assert run["content"] == events[-1]["content"] == SAID + "a letter\nSigned"


def test_runs_on_one_connection_send_their_events_side_by_side(client: Client) -> None:
    for place in range(3):
        start(client, f"number {place}")
    told: dict[str, list[dict[str, object]]] = {}
    ended = 0
    while ended < 3:
        message = client.receive()
        told.setdefault(str(message.get("workflow_run_id") or message["run_id"]), []).append(message)
        ended += message["event"] == END
    assert len(told) == 3
    assert {text_of(events) for events in told.values()} == {f"{SAID}number {place}" for place in range(3)}


@pytest.mark.parametrize("after_drop", ["at once", "in the middle", "after the end"])
def test_a_client_that_drops_and_reconnects_gets_the_whole_text_once(
    url: str, http: httpx.Client, gate: Path, after_drop: str
) -> None:
    workflow = "talk" if after_drop == "after the end" else "held"
    words = " ".join(f"word-{place}" for place in range(150))
    with Client(url, KEY) as first:
        start(first, f"[slow 10ms] {words}", workflow)
        seen = first.until("RunContent")
    run_id = seen[0]["run_id"]
    if after_drop == "in the middle":
        until(lambda: len(followed(http, workflow, run_id)) > 20)
    elif after_drop == "after the end":
        until(lambda: http.get(f"/workflows/{workflow}/runs/{run_id}").json()["status"] == "COMPLETED")
    with Client(url, KEY) as second:
        second.send(action="reconnect", run_id=run_id, last_event_index=indexes(seen)[-1])
        rest = [second.receive()]
        if workflow == "held":
            until(lambda: opened_by_somebody(gate))
        rest += second.until(END)
    assert rest[0]["event"] in ({"replay"} if after_drop == "after the end" else {"catch_up", "subscribed"})
    assert text_of(seen + rest) == SAID + words
    assert indexes(seen + rest) == sorted(set(indexes(seen + rest)))


def opened_by_somebody(pipe: Path) -> bool:
    """Whether somebody waits for the pipe, who then goes on."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def followed(http: httpx.Client, workflow: str, run_id: str) -> list[str]:
    """The events that the log has by now."""
    lines: list[str] = []
    with http.stream("POST", f"/workflows/{workflow}/runs/{run_id}/resume") as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                lines.append(line)
            if line == "event: subscribed":
                break
    return lines


def test_a_connection_without_a_run_follows_one_that_was_started_over_http(url: str, http: httpx.Client) -> None:
    words = " ".join(f"word-{place}" for place in range(100))
    got: list[dict[str, object]] = []

    def follow(run_id: str) -> None:
        with Client(url, KEY) as client:
            client.send(action="reconnect", run_id=run_id, workflow_id="talk")
            got.extend(client.until(END))

    fields = {"message": f"[slow 20ms] {words}", "stream": "true"}
    with http.stream("POST", "/workflows/talk/runs", data=fields) as answer:
        lines = answer.iter_lines()
        run_id = json.loads(next(line for line in lines if line.startswith("data: "))[6:])["run_id"]
        follower = threading.Thread(target=follow, args=(run_id,))
        follower.start()
        assert any(f"event: {END}" in line for line in lines)
    follower.join(30)
    assert text_of(got) == SAID + words


def test_a_large_answer_arrives_marked_and_is_whole_over_http(client: Client, http: httpx.Client) -> None:
    start(client, "fill", workflow_id="large")
    end = client.until(END)[-1]
    assert max(client.sizes) < LIMIT
    assert end["truncated"] is True
    assert end["content"] == "x" * len(end["content"])
    assert http.get(end["whole"]).json()["content"] == "x" * 300_000


def test_a_run_is_cancelled_over_the_socket_and_its_client_hears_the_end(client: Client, http: httpx.Client) -> None:
    start(client, "[slow 50ms] " + "word " * 400)
    run_id = client.until("RunContent")[0]["run_id"]
    client.send(action="cancel-workflow", workflow_id="talk", run_id=run_id)
    names = [message["event"] for message in client.until(END)]
    assert "cancelling" in names
    assert names[-2:] == ["WorkflowCancelled", END]
    assert http.get(f"/workflows/talk/runs/{run_id}").json()["status"] == "CANCELLED"


def test_a_paused_run_continues_over_the_socket_with_the_next_index(client: Client, http: httpx.Client) -> None:
    start(client, "a draft", workflow_id="careful")
    before = client.until("WorkflowPaused")
    run_id = before[0]["run_id"]
    decided = [{**step, "confirmed": True} for step in before[-1]["step_requirements"]]
    session_id = before[0]["session_id"]
    client.send(
        action="continue-workflow",
        workflow_id="careful",
        run_id=run_id,
        session_id=session_id,
        step_requirements=decided,
    )
    after = client.until(END)
    assert after[0]["event"] == "StepContinued"
    assert indexes(before + after) == sorted(set(indexes(before + after)))
    assert http.get(f"/workflows/careful/runs/{run_id}").json()["content"] == f"published: {SAID}a draft"


def test_the_management_api_is_that_of_api_gateway_to_a_real_client(
    whole_stack: StackProcess, client: Client, management: tuple[str, str]
) -> None:
    endpoint, connection_id = management
    posts = ManagementApiPosts(endpoint)
    posts.post(connection_id, "ü " * 10)
    assert client.socket.recv(10) == "ü " * 10
    with pytest.raises(Gone):
        posts.post("nobody", "hello")
    api = boto3.client(
        "apigatewaymanagementapi", endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1})
    )
    assert api.get_connection(ConnectionId=connection_id)["Identity"]["SourceIp"] == "127.0.0.1"
    with pytest.raises(api.exceptions.PayloadTooLargeException):
        api.post_to_connection(ConnectionId=connection_id, Data=b"x" * (128 * 1024 + 1))
    api.delete_connection(ConnectionId=connection_id)
    with pytest.raises(ConnectionClosed):
        client.receive()
    with pytest.raises(api.exceptions.GoneException):
        until(lambda: api.get_connection(ConnectionId=connection_id) is None)


@pytest.fixture
def store(whole_stack: StackProcess, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of the stack's functions."""
    http.get("/workflows").raise_for_status()  # has an environment start that knows the tables
    variables = next(each for each in whole_stack.environments().values() if "RUNS_TABLE" in each)
    for name in (*cloud_access(""), "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, variables[name])
    return store_of(Settings.from_environment(variables))


@pytest.fixture
def sweep(whole_stack: StackProcess) -> Callable[[], object]:
    """Has the stack sweep now, which it does every ten seconds anyway."""
    known = (each.get("AWS_ENDPOINT_URL_LAMBDA") for each in whole_stack.environments().values())
    sweeper = f"{next(filter(None, known))}/2015-03-31/functions/SweeperFunction/invocations"
    return lambda: httpx.post(sweeper, headers={"X-Amz-Invocation-Type": "Event"}, json={}).raise_for_status()


@pytest.mark.faults
def test_a_client_whose_worker_is_killed_hears_the_end_and_so_does_one_that_reconnects(
    whole_stack: StackProcess, url: str, http: httpx.Client, store: Store, sweep: Callable[[], object]
) -> None:
    with Client(url, KEY) as client:
        start(client, "[slow 40ms] " + "word " * 1000)
        seen = client.until("RunContent")
        run_id = seen[0]["run_id"]
        for pid, variables in whole_stack.environments().items():
            if variables.get("AWS_LAMBDA_FUNCTION_NAME") == "WorkerFunction":
                os.kill(pid, signal.SIGKILL)
                until(lambda pid=pid: not variables_of(pid))
        # As if the time that it had left were over, and another executor had died at once.
        store.claim(run_id, executor="dies", lease_until=0, expired_before=sys.maxsize)
        sweep()
        seen += client.until("WorkflowError")
    assert indexes(seen) == sorted(set(indexes(seen)))
    assert seen[-1]["error"] == "execution lost"
    run = http.get(f"/workflows/talk/runs/{run_id}").json()
    assert (run["status"], run["content"]) == ("ERROR", "execution lost")
    with Client(url, KEY) as client:
        client.send(action="reconnect", run_id=run_id, last_event_index=indexes(seen)[-2])
        assert [message["event"] for message in client.until("WorkflowError")] == ["replay", "WorkflowError"]


@pytest.fixture
def management(whole_stack: StackProcess, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Where the stack's functions post to, and the id of the one connection that is open."""
    for name, value in cloud_access("").items():
        monkeypatch.setenv(name, value)
    of_function = next(each for each in whole_stack.environments().values() if "WEBSOCKET_SOURCE_LIMIT" in each)
    clients = CloudClients(of_function["AWS_ENDPOINT_URL"])
    scan = clients.dynamodb.scan
    items = until(lambda: len(found := scan(TableName="ConnectionsTable")["Items"]) == 1 and found)
    clients.close()
    return of_function["WEBSOCKET_MANAGEMENT_URL"], items[0]["connection_id"]["S"]


def test_a_connection_that_does_not_present_the_key_is_closed(
    whole_stack: StackProcess, url: str, sweep: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud_access("").items():
        monkeypatch.setenv(name, value)
    cloud_url = next(filter(None, (each.get("AWS_ENDPOINT_URL") for each in whole_stack.environments().values())))
    clients = CloudClients(cloud_url)
    with Client(url) as stranger:
        assert stranger.hello["requires_auth"]
        for item in clients.dynamodb.scan(TableName="ConnectionsTable")["Items"]:
            if "authenticate_by" in item:
                clients.dynamodb.update_item(  # as if its minute were over
                    TableName="ConnectionsTable",
                    Key={"connection_id": item["connection_id"]},
                    UpdateExpression="SET authenticate_by = :now",
                    ExpressionAttributeValues={":now": {"N": "1"}},
                )
        sweep()
        with pytest.raises(ConnectionClosed):
            stranger.receive()
    clients.close()


@pytest.mark.faults
def test_many_clients_that_drop_and_reconnect_at_random_lose_and_repeat_nothing(url: str) -> None:
    stories = asyncio.run(load(url, KEY, "talk", connections=12, words=40))
    assert sum(story.drops for story in stories) > 6
