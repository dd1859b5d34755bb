"""What a client sees of the stack: real sockets, real processes, real events."""

import hashlib
import os
import signal
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.waiting import until

FAILED = {"detail": "failed"}
"""What the template says that the API answers where a function does not."""


def test_each_chunk_arrives_before_the_next_one_is_made(client, signals):
    signals.prepare("order-1", "order-2")
    with client.stream("GET", "/agents/steps/order") as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        chunks = response.iter_raw()
        assert next(chunks) == b"data: 0\n\n"
        signals.give("order-1")
        assert next(chunks) == b"data: 1\n\n"
        signals.give("order-2")
        assert list(chunks) == [b"data: 2\n\n"]


def test_a_client_that_disconnects_stops_nothing(client, signals):
    signals.prepare("gone-1", "gone-2")
    with client.stream("GET", "/agents/steps/gone") as response:
        assert next(response.iter_raw()) == b"data: 0\n\n"
    signals.give("gone-1")
    signals.give("gone-2")
    signals.wait("gone-ended")


def test_an_environment_serves_one_request_after_the_other(client):
    assert client.get("/agents").json() == client.get("/agents").json()


def test_a_hundred_answers_on_one_connection_take_no_longer_than_on_a_hundred_connections(client):
    def seconds(**headers):
        begun = time.perf_counter()
        assert client.get("/health", headers=headers).status_code == 200
        return time.perf_counter() - begun

    kept_alive, fresh = [], []
    for _ in range(100):  # in turn, so that a busy machine slows both
        fresh.append(seconds(connection="close"))
        seconds()  # opens the connection that the next one is measured on
        kept_alive.append(seconds())
    # An answer that waits for the acknowledgement of its first packet takes 40 ms more.
    assert statistics.median(kept_alive) < statistics.median(fresh) + 0.02


def test_two_requests_at_once_use_two_environments(client, signals):
    signals.prepare("left-go", "right-go")
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(client.get, f"/agents/hold/{name}") for name in ("left", "right")]
        pids = {signals.wait("left-held"), signals.wait("right-held")}
        assert len(pids) == 2
        signals.give("left-go")
        signals.give("right-go")
        assert {str(answer.result().json()["pid"]) for answer in answers} == pids


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_any_bytes_survive_an_upload(client, size):
    content = os.urandom(size)
    response = client.post("/agents/upload", files={"file": ("\u00e9 \u2603.bin", content)})
    assert response.json() == {
        "name": "\u00e9 \u2603.bin",
        "size": size,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_binary_answer_survives(client):
    assert client.get("/agents/binary").content == bytes(range(256)) * 256


def test_cookies_and_repeated_headers_arrive_apart(client):
    headers = client.get("/agents/cookies").headers
    assert [cookie.partition(";")[0] for cookie in headers.get_list("set-cookie")] == ["a=1", "b=2"]
    assert headers.get_list("x-many") == ["one", "two"]


def test_a_text_body_arrives_as_text_and_a_form_as_base64(client):
    text = client.post("/agents/echo/x", content=b'{"a": 1}', headers={"content-type": "application/json"}).json()
    form = client.post("/agents/echo/x", files={"file": b"\xff"}).json()
    assert not text["event"]["isBase64Encoded"]
    assert form["event"]["isBase64Encoded"]
    assert text["sha256"] == hashlib.sha256(b'{"a": 1}').hexdigest()


def test_the_function_sees_the_url_that_the_client_called(client, stack):
    seen = client.get("/agents/echo/a%2Fb:c@d?x=1&x=2").json()
    assert seen["rest"] == "a/b:c@d"
    assert seen["query"] == [["x", "1"], ["x", "2"]]
    assert seen["url"].startswith(f"{stack.url}/agents/echo/")


def test_preflights_reach_the_function(client):
    assert client.options("/agents/echo/x").json()["event"]["httpMethod"] == "OPTIONS"


def test_a_client_cannot_say_that_it_is_elsewhere(client):
    event = client.get("/agents/echo/x", headers={"X-Forwarded-For": "203.0.113.9"}).json()["event"]
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"


def test_a_buffered_function_is_served_through_the_same_address(client):
    assert client.get("/health").json()["pid"] > 0


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PATCH", "/agents"), ("POST", "/health"), ("GET", "/agentsx")]
)
def test_what_is_not_routed_is_answered_by_the_gateway(client, method, path):
    response = client.request(method, path)
    assert response.status_code == 404
    assert response.json() == {"detail": "no such route"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"


def test_a_body_over_the_limit_of_an_event_is_refused(client):
    response = client.post("/agents/upload", files={"file": bytes(4_800_000)})
    assert (response.status_code, response.json()) == (413, {"detail": "too large"})


def test_a_body_far_over_the_limit_is_read_to_its_end_and_refused(client):
    assert client.post("/agents/upload", content=bytes(20_000_000)).status_code == 413


def test_a_crash_is_answered_by_the_gateway_and_the_next_request_gets_a_new_environment(client, signals):
    response = client.get("/config/crash/once")
    assert (response.status_code, response.json()) == (500, FAILED)
    assert str(client.get("/health").json()["pid"]) != signals.wait("once-crashed")


def test_an_environment_that_is_killed_while_idle_is_replaced(client):
    pid = client.get("/health").json()["pid"]
    os.kill(pid, signal.SIGKILL)
    # An event that went to it before its end was known fails, as on Lambda.
    assert until(lambda: client.get("/health").json().get("pid")) != pid


@pytest.mark.parametrize("how", ["crash", "raise"])
def test_an_answer_that_breaks_off_cuts_the_connection(client, signals, how):
    if how == "crash":
        signals.prepare("crash-after-first")
    with client.stream("GET", f"/agents/broken/{how}") as response:
        assert response.status_code == 200
        chunks = response.iter_raw()
        assert next(chunks) == b"first"
        if how == "crash":
            signals.give("crash-after-first")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            next(chunks)


def test_a_function_that_times_out_is_killed_and_replaced(client):
    response = client.get("/teams/hang")
    assert (response.status_code, response.json()) == (500, FAILED)


def test_an_integration_waits_as_long_as_the_template_says_and_not_for_the_function(client):
    response = client.get("/workflows/hang")
    assert (response.status_code, response.json()) == (503, {"detail": "waited too long"})


def test_an_answer_over_the_limit_of_a_buffered_function_fails(client):
    assert len(client.get("/config/large/5000000").content) == 5_000_000
    response = client.get("/config/large/6500000")
    assert (response.status_code, response.json()) == (500, FAILED)
    assert client.get("/health").status_code == 200


def test_a_large_answer_streams(client):
    assert len(client.get("/agents/large/8000000").content) == 8_000_000


def test_a_request_that_is_cut_off_harms_no_other(client, stack):
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(b"POST /agents/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert client.get("/agents").status_code == 200


def test_functions_get_the_template_s_variables_with_local_values(client):
    variables = client.get("/agents/echo/x").json()["variables"]
    assert variables["RUNS_TABLE"] == "RunsTable"
    assert variables["EVENTS_TABLE"] == "RunEventsTable"
    assert variables["BUCKET"] == "agentos-local-bucket"
    assert variables["LOG_LEVEL"] == "WARNING"
    assert variables["OS_SECURITY_KEY"] == "from the user"
    assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "AgentsFunction"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024"
    assert variables["AGENTOS_MANIFEST"].endswith("/manifest.json")
    assert variables["AGENTOS_COMPONENTS"].endswith("/components.py")
    assert not {"SECURITY_KEY_SECRET", "AWS_LAMBDA_EXEC_WRAPPER", "AGENTOS_MODEL"} & set(variables)
