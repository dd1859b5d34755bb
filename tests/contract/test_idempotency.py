"""One request, one run: keys, chosen ids, and clients that lose an answer and ask again."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import PATHS, events_of
from tests.waiting import until

SLOW = "/agents/slow/runs"


def runs_of(client: httpx.Client, path: str, session_id: str) -> list[str]:
    return [run["run_id"] for run in client.get(path, params={"session_id": session_id}).json()]


@pytest.mark.parametrize("kind", list(Kind))
def test_the_same_key_and_request_is_the_same_run(client, kind, fresh_id):
    headers, body = {"Idempotency-Key": f"key {fresh_id}"}, {"message": "Hello", "session_id": fresh_id}
    first = client.post(PATHS[kind], json=body, headers=headers)
    again = client.post(PATHS[kind], data=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert runs_of(client, PATHS[kind], fresh_id) == [first.json()["run_id"]]


def test_the_same_key_with_another_request_is_a_409(client, fresh_id):
    headers, body = {"Idempotency-Key": fresh_id}, {"message": "Hello", "session_id": fresh_id}
    assert client.post(PATHS[Kind.AGENT], json=body, headers=headers).status_code == 200
    others = [
        (PATHS[Kind.AGENT], {**body, "message": "Bye"}),
        (PATHS[Kind.AGENT], {**body, "stream": True}),
        (PATHS[Kind.AGENT], {**body, "session_id": f"{fresh_id}-2"}),
        (PATHS[Kind.AGENT], {**body, "images": [{"content": "QQ=="}]}),
        (PATHS[Kind.TEAM], body),
        ("/agents/companion/runs", body),
    ]
    for path, other in others:
        answer = client.post(path, json=other, headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT"), other
    assert len(runs_of(client, PATHS[Kind.AGENT], fresh_id)) == 1


def test_another_users_same_key_is_another_run(client, fresh_id):
    headers = {"Idempotency-Key": fresh_id}
    runs = {
        client.post(PATHS[Kind.AGENT], json={"message": "Hello", "user_id": user}, headers=headers).json()["run_id"]
        for user in ("alice", "bob", None)
    }
    assert len(runs) == 3


@pytest.mark.parametrize("key", ["x" * 513, ""])
def test_a_key_that_is_empty_or_too_long_is_a_422(client, key):
    answer = client.post(PATHS[Kind.AGENT], json={"message": "Hello"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_key_of_512_characters_is_taken(client, fresh_id):
    headers = {"Idempotency-Key": fresh_id.ljust(512, "x")}
    assert client.post(PATHS[Kind.AGENT], json={"message": "Hello"}, headers=headers).status_code == 200


def test_a_repetition_while_the_run_goes_on_waits_for_its_end(client, fresh_id):
    headers = {"Idempotency-Key": fresh_id}
    body = {"message": "[slow 40ms] " + "word " * 30, "session_id": fresh_id}
    with ThreadPoolExecutor(2) as clients:
        first, second = (clients.submit(client.post, SLOW, json=body, headers=headers) for _ in range(2))
        assert first.result().json() == second.result().json()
    assert first.result().json()["status"] == "COMPLETED"
    assert runs_of(client, SLOW, fresh_id) == [first.result().json()["run_id"]]


def test_a_streamed_repetition_follows_the_run_from_its_start(client, fresh_id):
    headers = {"Idempotency-Key": fresh_id}
    body = {"message": "[slow 40ms] " + "word " * 40, "session_id": fresh_id, "stream": True}
    with client.stream("POST", SLOW, json=body, headers=headers) as first:
        events = events_of(first.iter_lines())
        told = [next(events) for _ in range(3)]
        with client.stream("POST", SLOW, json=body, headers=headers) as second:
            repeated = list(events_of(second.iter_lines()))
        told += events
    assert [event["event_index"] for event in repeated] == sorted({event["event_index"] for event in repeated})
    assert (repeated[0]["event"], repeated[-1]["event"]) == ("RunStarted", "RunCompleted")
    assert text_of(repeated) == text_of(told)
    assert repeated[-1] == told[-1]
    assert list(events_of(client.post(SLOW, json=body, headers=headers).text.splitlines()))[-1] == told[-1]


def test_a_streamed_repetition_of_a_queued_run_follows_it_from_its_start_though_it_has_ended(client, fresh_id):
    headers = {"Idempotency-Key": fresh_id}
    body = {"message": "Hello", "session_id": fresh_id, "stream": True, "background": True}
    first, again = (
        list(events_of(client.post(PATHS[Kind.AGENT], json=body, headers=headers).text.splitlines())) for _ in range(2)
    )
    assert (first[0]["event"], first[-1]["event"]) == ("RunStarted", "RunCompleted")
    assert again == first


def text_of(events: list[dict]) -> str:
    return "".join(event["content"] for event in events if event["event"] == "RunContent")


@pytest.mark.parametrize("kind", list(Kind))
def test_a_chosen_run_id_is_kept_and_never_overwritten(client, kind, fresh_id):
    body = {"message": "Hello", "run_id": fresh_id, "user_id": "alice"}
    assert client.post(PATHS[kind], json=body).json()["run_id"] == fresh_id
    before = client.get(f"{PATHS[kind]}/{fresh_id}").json()
    for path in PATHS.values():
        for other in (body, {**body, "user_id": "bob"}, {**body, "stream": True}):
            answer = client.post(path, json=other)
            assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert client.get(f"{PATHS[kind]}/{fresh_id}").json() == before


def test_a_lost_answer_is_had_by_asking_again(stack, client, fresh_id):
    body = json.dumps({"message": "[slow 30ms] Hello", "session_id": fresh_id}).encode()
    head = (
        f"POST {SLOW} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {fresh_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", stack.port)) as connection:
        connection.sendall(head.encode() + body)
    headers = {"Idempotency-Key": fresh_id, "Content-Type": "application/json"}
    run = client.post(SLOW, content=body, headers=headers).json()
    assert (run["status"], run["session_id"]) == ("COMPLETED", fresh_id)
    assert runs_of(client, SLOW, fresh_id) == [run["run_id"]]


def test_a_client_that_goes_away_in_the_middle_of_a_stream_stops_nothing(client, fresh_id):
    body = {"message": "[slow 20ms] Hello", "stream": "true", "run_id": fresh_id}
    with client.stream("POST", SLOW, data=body) as answer:
        next(events_of(answer.iter_lines()))
    status = until(lambda: (run := client.get(f"{SLOW}/{fresh_id}").json())["status"] != "RUNNING" and run["status"])
    assert status == "COMPLETED"
    resumed = client.post(f"{SLOW}/{fresh_id}/resume", data={"last_event_index": "0"}).text
    replayed = list(events_of(resumed.splitlines()))
    assert (replayed[0]["event"], replayed[-1]["event"]) == ("replay", "RunCompleted")
    assert replayed[1]["event_index"] == 1
