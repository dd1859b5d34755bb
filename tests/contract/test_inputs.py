"""What clients send in unusual clothes, through the gateway to the running stack and back."""

import gzip

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.contract.stack import PATHS

RUNS = PATHS[Kind.AGENT]
PEOPLE = [
    "auth0|5f7c2a",
    "ada+work@example.com",
    "user#1&x=%41",
    "J\u00fcrgen",
    "Ju\u0308rgen",
    "\U0001f600 ?",
    "a\u2028b",
]
BODIES = {
    "JSON": {"json": {"message": "Gr\u00fc\u00dfe"}},
    "a form": {"data": {"message": "Gr\u00fc\u00dfe"}},
    "a multipart form": {"files": {"message": (None, "Gr\u00fc\u00dfe")}},
}


@pytest.mark.parametrize("person", PEOPLE)
def test_a_person_of_any_name_finds_their_runs_and_nobody_else_does(client, fresh_id, person):
    session_id = f"{person} {fresh_id}"
    sent = {"message": "hello", "session_id": session_id, "user_id": person, "run_id": fresh_id, "stream": "true"}
    assert client.post(RUNS, data=sent).status_code == 200
    own, other = {"user_id": person}, {"user_id": f"{person}x"}
    for asked, status in ((own, 200), (other, 404)):
        assert client.get(f"{RUNS}/{fresh_id}", params={**asked, "session_id": session_id}).status_code == status
        assert client.get(RUNS, params={**asked, "session_id": session_id}).status_code == status
        assert client.post(f"{RUNS}/{fresh_id}/cancel", params=asked).status_code == status
        assert client.post(f"{RUNS}/{fresh_id}/resume", data=asked).status_code == status
    assert client.get(f"{RUNS}/{fresh_id}").json()["user_id"] == person


@pytest.mark.parametrize("body", BODIES)
def test_a_compressed_body_reaches_the_function_byte_for_byte(client, body):
    plain = httpx.Request("POST", "http://test", **BODIES[body])
    headers = {"content-type": plain.headers["content-type"], "content-encoding": "gzip"}
    answer = client.post(RUNS, content=gzip.compress(plain.read()), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["input"]["input_content"] == "Gr\u00fc\u00dfe"


def test_a_stream_is_read_by_lines_whatever_its_text(client):
    breaks = "a\u2028b\u2029c\x85d\x0be"
    answer = client.post(RUNS, json={"message": breaks, "stream": True})
    names = [line for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names[-1] == "event: RunCompleted"
    assert all(line.startswith(("event: ", "id: ", "data: {")) for line in answer.text.splitlines() if line)


def test_the_runs_of_a_session_come_page_by_page(client, fresh_id):
    runs = [client.post(RUNS, data={"message": "hi", "session_id": fresh_id}).json()["run_id"] for _ in range(3)]
    pages = [client.get(RUNS, params={"session_id": fresh_id, "limit": 2, "page": page}).json() for page in (1, 2, 3)]
    assert [[item["run_id"] for item in page] for page in pages] == [runs[:2], runs[2:], []]


def test_a_page_on_this_machine_may_call_whatever_its_port(client):
    for origin in ("http://localhost:5173", "http://127.0.0.1:49152", "http://[::1]:3"):
        answer = client.get("/health", headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
    foreign = client.get("/health", headers={"origin": "https://evil.example"})
    assert not [name for name in foreign.headers if name.startswith("access-control-")]
