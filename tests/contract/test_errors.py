"""Errors of the running stack: one format for all, nothing of the inside, and nothing left of what was refused."""

import json
import re
import socket

import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.api.test_bad_requests import INVALID, JSON, UNPARSEABLE
from tests.contract.stack import PATHS, SAMPLE

CODES = {
    400: {"BAD_REQUEST", "UNSUPPORTED_FILE_TYPE"},
    401: {"UNAUTHORIZED"},
    404: {"NOT_FOUND"},
    405: {"METHOD_NOT_ALLOWED"},
    409: {"CONFLICT"},
    413: {"PAYLOAD_TOO_LARGE"},
    422: {"VALIDATION_ERROR"},
}
INSIDE = re.compile(
    r"Traceback|File \"|arn:aws|RunsTable|SessionsTable|RunEventsTable|agentos-local|dynamodb|botocore|pydantic|"
    r"starlette|agno\.|\w+(Error|Exception)\b(?!\")",
    re.IGNORECASE,
)


def check_error(answer: httpx.Response, status: int) -> dict:
    """The answer is an error in the one format, with this status, and tells nothing of the inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert body["error_code"] in CODES[status]
    assert set(body) == ({"detail", "error_code", "errors"} if status == 422 else {"detail", "error_code"})
    for error in body.get("errors", []):
        assert set(error) == {"field", "message"}
        assert all(isinstance(text, str) and text for text in error.values())
    told = {key: value for key, value in body.items() if key != "error_code"}
    assert not INSIDE.search(json.dumps(told)), body
    return body


@pytest.mark.parametrize("kind", list(Kind))
def test_what_cannot_be_parsed_is_a_400_and_leaves_nothing(client, cloud, kind):
    before = cloud.keys()
    for case, (content, headers) in UNPARSEABLE.items():
        answer = client.post(PATHS[kind], content=content, headers=headers)
        assert answer.status_code == 400, case
        check_error(answer, 400)
    assert cloud.keys() == before


@pytest.mark.parametrize("kind", list(Kind))
def test_a_field_that_is_wrong_is_a_422_and_leaves_nothing(client, cloud, kind):
    before = cloud.keys()
    for case, (fields, field) in INVALID.items():
        answers = [client.post(PATHS[kind], json=fields)]
        if fields and all(isinstance(value, str) for value in fields.values()):
            answers.append(client.post(PATHS[kind], data=fields))
            answers.append(client.post(PATHS[kind], files={name: (None, value) for name, value in fields.items()}))
        for answer in answers:
            errors = check_error(answer, 422)["errors"]
            assert {error["field"].partition(".")[0] for error in errors} == {field}, case
    check_error(client.post(PATHS[kind]), 422)
    check_error(client.post(PATHS[kind], json={"message": "hi"}, headers={"Idempotency-Key": ""}), 422)
    assert cloud.keys() == before


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_a_text_of_over_a_mebibyte_is_a_413_and_leaves_nothing(client, cloud, kind, encoding):
    before = cloud.keys()
    text = "x" * (1024 * 1024 + 1)
    value = (None, text) if encoding == "files" else text
    assert "1024KB" in check_error(client.post(PATHS[kind], **{encoding: {"message": value}}), 413)["detail"]
    assert cloud.keys() == before


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_unknown_or_somebody_elses_is_a_404_and_leaves_nothing(client, cloud, kind, fresh_id):
    path = PATHS[kind]
    other = next(found for found in Kind if found is not kind)
    body = {"message": "Hello", "session_id": fresh_id, "user_id": "alice"}
    run_id = client.post(path, json=body).json()["run_id"]
    before = cloud.keys()
    unknown = f"/{kind.plural}/nope"
    for method, url, options in (
        ("GET", unknown, {}),
        ("GET", f"{unknown}/runs", {"params": {"session_id": fresh_id}}),
        ("GET", f"{unknown}/runs/{run_id}", {}),
        *(("POST", f"{unknown}/runs/{run_id}/{action}", {}) for action in ("cancel", "resume", "continue")),
        ("POST", f"{unknown}/runs", {"json": {"message": "hi"}}),
    ):
        assert check_error(client.request(method, url, **options), 404)["detail"] == f"{kind.label} not found"
    for foreign, wanted in ((PATHS[other], run_id), (path, "never-seen")):
        assert check_error(client.get(f"{foreign}/{wanted}"), 404)["detail"] == "Run not found"
        for action in ("cancel", "resume", "continue"):
            assert check_error(client.post(f"{foreign}/{wanted}/{action}"), 404)["detail"] == "Run not found"
    assert check_error(client.get(f"{path}/{run_id}", params={"session_id": "another"}), 404)
    assert check_error(client.get(path, params={"session_id": "never-seen"}), 404)["detail"] == "Session not found"
    for user in ("bob", None):
        answer = client.post(path, json={**body, "user_id": user})
        assert check_error(answer, 404)["detail"] == "Session not found"
        answer = client.post(path, json={**body, "user_id": user, "stream": True})
        assert check_error(answer, 404)["detail"] == "Session not found"
    assert cloud.keys() == before


@pytest.mark.parametrize("kind", list(Kind))
def test_the_other_actions_refuse_what_they_cannot_read(client, kind):
    run_id = client.post(PATHS[kind], json={"message": "Hello"}).json()["run_id"]
    run = f"{PATHS[kind]}/{run_id}"
    for action in ("resume", "continue"):
        check_error(client.post(f"{run}/{action}", content=b"{", headers=JSON), 400)
    check_error(client.post(f"{run}/resume", data={"last_event_index": "banana"}), 422)
    check_error(client.post(f"{run}/resume", headers={"Last-Event-ID": "banana"}), 422)
    check_error(client.post(f"{run}/continue", data={"tools": "{", "requirements": "["}), 422)
    check_error(client.post(f"{run}/continue", data={"stream": "banana"}), 422)
    check_error(client.post(f"{run}/continue", files=[("files", ("a.png", b"1", "image/png"))]), 400)
    check_error(client.get(PATHS[kind]), 422)
    check_error(client.get(PATHS[kind], params={"session_id": "s", "status": "DONE"}), 422)
    assert check_error(client.post(f"{run}/continue"), 409)["detail"] == "run is already completed"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_there_is_answered_in_the_format(client, method):
    for path in ("/agents", "/agents/assistant", PATHS[Kind.AGENT], "/config", "/health", "/nowhere"):
        answer = client.request(method, path)
        check_error(answer, answer.status_code if answer.status_code == 405 else 404)


def test_paths_that_are_not_there_are_answered_in_the_format(client):
    for path in (
        "/nowhere",
        "/agents/assistant/nothing",
        "/agents/assistant/runs/r/nothing",
        "/AGENTS",
        "/teams/x/y/z",
    ):
        assert check_error(client.get(path), 404)["detail"] == "Not Found"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_trailing_slash_changes_nothing(client, kind):
    one = f"/{kind.plural}/{SAMPLE[kind]}"
    for path in (f"/{kind.plural}", one):
        assert client.get(f"{path}/").json() == client.get(path).json()
    assert client.post(f"{one}/runs/", json={"message": "Hello"}).json()["status"] == "COMPLETED"
    assert client.get("/health/").status_code == 200


def test_odd_paths_and_query_strings_are_answered_in_the_format(client):
    assert client.get("/agents/%61ssistant").json()["id"] == "assistant"
    for encoded in ("%2F", "..%2F..%2Fetc", "%00", "%FF%FE", "%F0%9F%A6%86", "a" * 3000, "%25%32%46", "a%20b"):
        check_error(client.get(f"/agents/{encoded}"), 404)
        check_error(client.get(f"{PATHS[Kind.AGENT]}/{encoded}"), 404)
        check_error(client.post(f"{PATHS[Kind.AGENT]}/{encoded}/cancel"), 404)
    assert client.get("/agents?&&=&a=%FF&a[]=1&a;b=c").status_code == 200
    for query in ("session_id=", "session_id=%00", "session_id=..", "session_id=" + "x" * 2000):
        check_error(client.get(f"{PATHS[Kind.AGENT]}?{query}"), 422)
    for query in ("session_id=%FF", "session_id=a&session_id=b"):
        check_error(client.get(f"{PATHS[Kind.AGENT]}?{query}"), 404)


def test_a_head_has_no_body(client):
    answer = client.head("/health")
    assert (answer.status_code, answer.content) == (404, b"")  # the gateway has no such method


def test_a_request_that_is_no_http_is_refused(stack):
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", [Kind.AGENT, Kind.TEAM])
def test_a_component_that_fails_is_a_run_that_failed(client, kind, stream):
    answer = client.post(PATHS[kind], data={"message": "[fail out of ink]", "stream": str(stream).lower()})
    assert answer.status_code == 200
    if stream:
        last = json.loads(answer.text.rstrip().rpartition("data: ")[2])
        assert (last["event"], last["content"]) == (("Team" * (kind is Kind.TEAM)) + "RunError", "out of ink")
        run = client.get(f"{PATHS[kind]}/{last['run_id']}").json()
    else:
        run = answer.json()
    assert (run["status"], run["content"]) == ("ERROR", "out of ink")
