"""The security key on a running stack that has one: every route of the document is closed without it."""

from collections import defaultdict
from collections.abc import Iterator

import httpx
import pytest

from tests.local_stack import KEY, StackProcess

OPEN = {"/", "/health", "/info", "/docs", "/redoc", "/openapi.json"}
MISSING = {"detail": "Authorization header required", "error_code": "UNAUTHORIZED"}
WRONG = {"detail": "Invalid authentication token", "error_code": "UNAUTHORIZED"}
IDS = defaultdict(lambda: "any", agent_id="assistant", team_id="newsroom", workflow_id="letter")


@pytest.fixture(scope="module")
def closed(closed_stack: StackProcess) -> Iterator[httpx.Client]:
    """A client without the key."""
    with httpx.Client(base_url=closed_stack.url, timeout=60) as client:
        yield client


def operations(client: httpx.Client) -> list[tuple[str, str]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


def test_every_route_of_the_document_is_closed_without_the_key_but_the_open_ones(closed):
    found = operations(closed)
    assert len(found) > 20
    assert {path for _, path in found} > OPEN - {"/docs", "/redoc", "/openapi.json"}
    for method, path in found:
        url = path.format_map(IDS)
        if path in OPEN:
            assert closed.request(method, url).status_code == 200, path
            continue
        bare = closed.request(method, url, json={"message": "hi"})
        assert (bare.status_code, bare.json()) == (401, MISSING), (method, path)
        wrong = closed.request(method, url, headers={"authorization": f"Bearer {KEY}x"}, json={"message": "hi"})
        assert (wrong.status_code, wrong.json()) == (401, WRONG), (method, path)


def test_open_routes_stay_open_and_tell_how_to_authenticate(closed):
    for path in OPEN:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert closed.get(path, headers=headers).status_code == 200, path
    assert closed.get("/info").json()["auth_mode"] == "security_key"
    preflight = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    assert closed.options("/agents/assistant/runs", headers=preflight).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dXNlcjpwYXNz", f"Bearer {KEY} {KEY}", f"Token {KEY}"])
def test_a_wrong_key_is_refused_before_anything_else_is_looked_at(closed, header):
    headers = {"authorization": header}
    requests = [
        ("GET", "/agents/nope", {}),
        ("POST", "/agents/nope/runs", {"content": b"{", "headers": {"content-type": "application/json"}}),
        ("POST", "/agents/assistant/runs/r/cancel", {}),
        ("GET", "/agents//", {}),
    ]
    for method, path, options in requests:
        answer = closed.request(method, path, **{**options, "headers": {**options.get("headers", {}), **headers}})
        assert (answer.status_code, answer.json()) == (401, WRONG), (method, path)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", ""])
def test_the_key_lets_in(closed, scheme):
    headers = {"authorization": f"{scheme}{KEY}"}
    answer = closed.post("/agents/assistant/runs", json={"message": "Hello"}, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    assert closed.get("/config", headers=headers).status_code == 200


def test_the_key_is_in_no_answer(closed):
    headers = {"authorization": f"Bearer {KEY}"}
    for path in (*OPEN, "/config", "/agents", "/nowhere"):
        assert KEY not in closed.get(path, headers=headers).text
