"""What is one user's own: nobody else sees it, changes it, or learns that it is there."""

from __future__ import annotations

from collections import Counter
from statistics import median
from time import process_time
from typing import Any

import pytest

from agentos_lambda.identity.errors import KeysUnavailable
from agentos_lambda.runs.model import RunRecord
from tests.identity.callers import KINDS, filled
from tests.identity.test_matrix import Stack, in_the_document

pytestmark = pytest.mark.anyio

OBJECTS = [asked for asked in in_the_document() if "{run_id}" in asked or "{session_id}" in asked]
"""Operations about a run, or about a session or something of one."""
UNKNOWN = "unknown"
UNKNOWN_RUNS = dict.fromkeys(KINDS, UNKNOWN)


def counted(store: Any) -> Counter[str]:
    """What the store is asked from now on, by method."""
    calls: Counter[str] = Counter()

    def watch(name: str) -> None:
        method = getattr(store, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return method(*args, **kwargs)

        setattr(store, name, watched)

    for name in dir(store):
        if not name.startswith("_") and callable(getattr(store, name)):
            watch(name)
    return calls


@pytest.mark.parametrize("asked", OBJECTS)
async def test_another_users_object_looks_like_one_that_is_not_there(asked):
    method, path = asked.split(" ")
    stack = await Stack().begun()
    calls = counted(stack.api.world.store)
    seen = []
    for runs, session_id in ((stack.runs, None), (UNKNOWN_RUNS, UNKNOWN)):
        calls.clear()
        answer = await stack.ask("user B", method, filled(path, runs, session_id=session_id), path)
        text = answer.text
        for known in (*stack.runs.values(), *(f"{kind}-of-a" for kind in KINDS)):
            text = text.replace(known, UNKNOWN)
        seen.append((answer.status_code, text, dict(calls)))
    assert seen[0] == seen[1]
    assert seen[0][0] == 404 or seen[0][0] < 300
    assert "hello" not in seen[0][1].lower()


def test_every_operation_about_a_run_is_compared():
    assert len(OBJECTS) >= 4 * len(KINDS) + 7


@pytest.mark.sample
@pytest.mark.parametrize("asked", [each for each in OBJECTS if each.startswith(("GET /agents", "GET /sessions"))])
async def test_another_users_object_takes_as_long_as_one_that_is_not_there(asked):
    method, path = asked.split(" ")
    stack = await Stack().begun()
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(400):
        begun = process_time()
        await stack.ask("user B", method, filled(path, (stack.runs, UNKNOWN_RUNS)[turn % 2]), path)
        took[turn % 2].append(process_time() - begun)
    of_another, of_nobody = map(median, took)
    assert abs(of_another - of_nobody) < 0.2 * of_nobody


async def runs_of(stack: Stack, caller: str, **fields: str) -> RunRecord:
    body = {"message": "hi", "stream": "false", **fields}
    answer = await stack.api.client.post("/agents/assistant/runs", json=body, headers=stack.headers(caller))
    return stack.api.world.store.get(answer.raise_for_status().json()["run_id"])


async def test_a_run_is_its_callers_whatever_user_the_request_names():
    stack = await Stack().begun()
    assert (await runs_of(stack, "user B", user_id="alice")).user_id == "bob"
    assert (await runs_of(stack, "user B", user_id="alice", background="true")).user_id == "bob"
    assert (await runs_of(stack, "admin", user_id="alice")).user_id == "alice"
    assert (await runs_of(stack, "admin")).user_id == "root"


async def test_no_field_of_a_request_makes_another_users_run_visible():
    stack = await Stack().begun()
    run_id, client = stack.runs["agents"], stack.api.client
    about = {"session_id": "agents-of-a", "user_id": "alice"}
    headers = stack.headers("user B")
    base = f"/agents/assistant/runs/{run_id}"
    answers = [
        await client.get(base, params=about, headers=headers),
        await client.get("/agents/assistant/runs", params=about, headers=headers),
        *[
            await client.post(f"{base}/{verb}", params=about, json=about, headers=headers)
            for verb in ("cancel", "resume")
        ],
        await client.post(f"{base}/continue", json={**about, "tools": []}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert stack.api.world.store.get(run_id).cancel_requested is False


async def test_what_has_no_owner_is_visible_to_admins_only():
    stack = await Stack().begun()
    world, client = stack.api.world, stack.api.client
    ended = await world.run(session_id="nobodys")
    for caller, status in (("user A", 404), ("admin", 200)):
        headers = stack.headers(caller)
        one = await client.get(f"/agents/assistant/runs/{ended.record.run_id}", headers=headers)
        listed = await client.get("/agents/assistant/runs", params={"session_id": "nobodys"}, headers=headers)
        assert (one.status_code, listed.status_code) == (status, status)
    body = {"message": "hi", "session_id": "nobodys"}
    answer = await client.post("/agents/assistant/runs", json=body, headers=stack.headers("user A"))
    assert (answer.status_code, answer.json()["detail"]) == (404, "Session not found")


async def test_an_idempotency_key_is_one_principals():
    stack = await Stack().begun()
    run_ids = {}
    for caller in ("user A", "user B", "admin"):
        for _ in range(2):
            answer = await stack.api.client.post(
                "/agents/assistant/runs",
                json={"message": "hi"},
                headers={**stack.headers(caller), "Idempotency-Key": "one"},
            )
            run_ids.setdefault(caller, []).append(answer.raise_for_status().json()["run_id"])
    assert all(first == again for first, again in run_ids.values())
    assert len({first for first, _ in run_ids.values()}) == 3


async def test_a_key_is_not_shared_with_a_user_that_a_holder_of_the_security_key_names():
    stack = await Stack().begun()
    of_alice = await stack.api.world.run(idempotency_key="one", principal="user:alice", user_id="alice")
    of_a_key_holder = await stack.api.world.run(idempotency_key="one", principal="key:alice", user_id="alice")
    assert of_alice.record.run_id != of_a_key_holder.record.run_id


async def test_a_run_id_that_is_taken_is_refused_and_shows_nothing_of_the_run():
    """The one thing that ids tell: docs/security.md says why."""
    stack = await Stack().begun()
    body = {"message": "hi", "run_id": stack.runs["agents"]}
    answer = await stack.api.client.post("/agents/assistant/runs", json=body, headers=stack.headers("user B"))
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert "alice" not in answer.text


async def test_403_comes_before_404_and_422():
    stack = await Stack().begun()
    headers = stack.headers("reader")
    for path in ("/agents/assistant/runs", "/agents/unknown/runs"):
        answer = await stack.api.client.post(path, content=b"{", headers=headers)
        assert answer.json() == {
            "detail": "Insufficient permissions. Required scope(s): agents:run",
            "error_code": "FORBIDDEN",
        }
    answer = await stack.api.client.get("/agents/unknown/runs/unknown", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (403, "Access denied to run this agent")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/schedules", "Insufficient permissions. Required scope(s): schedules:read"),
        ("POST", "/agents/assistant/sessions/unknown/fork", "Access denied to run this agent"),
    ],
)
async def test_403_comes_before_501(method, path, scope):
    stack = await Stack().begun()
    answers = [await stack.api.client.request(method, path, headers=stack.headers(who)) for who in ("reader", "admin")]
    assert [answer.status_code for answer in answers] == [403, 501]
    assert answers[0].json()["detail"] == scope


async def test_info_tells_what_callers_have_to_present():
    stack = await Stack().begun()
    info = (await stack.api.client.get("/info")).json()
    assert (info["auth_mode"], info["user_isolation"]) == ("jwt", True)


async def test_a_list_is_that_of_what_the_caller_may_read():
    stack = await Stack().begun()
    for caller, listed in (
        ("one component each", ["assistant"]),
        ("another component each", []),
        ("admin", ["assistant"]),
    ):
        answer = await stack.api.client.get("/agents", headers=stack.headers(caller))
        assert [each["id"] for each in answer.raise_for_status().json()] == listed


async def test_nobody_is_let_in_while_keys_cannot_be_had():
    class NoKeys:
        def verify(self, token):
            raise KeysUnavailable("gone")

    stack = Stack()
    stack.api.authority._tokens = NoKeys()
    answer = await stack.api.client.get("/config", headers=stack.headers("user A"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"detail": "Tokens cannot be verified at present", "error_code": "SERVICE_UNAVAILABLE"}
    assert (await stack.api.client.get("/health")).status_code == 200


async def test_memories_are_their_users_whatever_user_a_request_names():
    stack = await Stack().begun()

    async def ask(caller: str, method: str, path: str, status: int = 200, **body: Any) -> Any:
        options = {"json": body} if body else {}
        answer = await stack.api.client.request(method, path, headers=stack.headers(caller), **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    made = await ask("user A", "POST", "/memories", memory="likes tea", topics=["drinks"], user_id="bob")
    path = f"/memories/{made['memory_id']}"
    assert made["user_id"] == "alice"
    assert await ask("user A", "GET", f"{path}?user_id=bob") == made

    for query in ("", "?user_id=alice"):
        assert (await ask("user B", "GET", f"/memories{query}"))["data"] == []
        assert await ask("user B", "GET", f"/memory_topics{query}") == []
        assert (await ask("user B", "GET", f"/user_memory_stats{query}"))["data"] == []
        await ask("user B", "GET", f"{path}{query}", 404)
        await ask("user B", "DELETE", f"{path}{query}", 204)
    await ask("user B", "DELETE", "/memories", 204, memory_ids=[made["memory_id"]], user_id="alice")
    for memory_id in (made["memory_id"], "unknown"):
        answer = await ask("user B", "PATCH", f"/memories/{memory_id}", 404, memory="likes gin", user_id="alice")
        assert answer["detail"] == "Memory not found"

    assert (await ask("user A", "GET", "/memories"))["data"] == [made]
    assert (await ask("admin", "GET", "/memories"))["data"] == [made]
