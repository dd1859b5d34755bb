"""The audit trail: who did what, and who was refused, as log lines without a token or a message."""

from __future__ import annotations

import logging

import pytest

from tests.api.world import Api
from tests.identity.callers import token_of
from tests.identity.test_matrix import Stack, connect, ended_run, socket_world
from tests.identity.tokens import claims, signed
from tests.websocket.world import WORKFLOW

pytestmark = pytest.mark.anyio


@pytest.fixture
def trail(caplog):
    caplog.set_level(logging.INFO, "agentos_lambda.identity.audit")

    def lines() -> list[tuple[str, str | None, dict[str, object]]]:
        """Message, principal and the other fields of each line."""
        found = []
        for record in caplog.records:
            if record.name == "agentos_lambda.identity.audit":
                fields = {
                    name: vars(record)[name]
                    for name in ("run_id", "user_id", "status", "reason")
                    if name in vars(record)
                }
                found.append((record.getMessage(), vars(record)["principal"], fields))
        caplog.clear()
        return found

    return lines


async def test_who_starts_and_cancels_a_run_is_in_the_trail(trail):
    stack = await Stack().begun()
    run_id = stack.runs["agents"]
    started = [line for line in trail() if line[0] == "audit: run started"]
    assert started[0] == ("audit: run started", "user:alice", {"run_id": run_id, "user_id": "alice"})
    assert len(started) == 3
    await stack.api.client.post(f"/agents/assistant/runs/{run_id}/cancel", headers=stack.headers("user A"))
    what = "POST /agents/{agent_id}/runs/{run_id}/cancel"
    assert trail() == [(f"audit: {what}", "user:alice", {"run_id": run_id, "status": 200})]
    await stack.api.client.get(f"/agents/assistant/runs/{run_id}", headers=stack.headers("user A"))
    assert trail() == []


async def test_every_refusal_is_in_the_trail(trail):
    stack = await Stack().begun()
    path, run_id = "/agents/assistant/runs", stack.runs["agents"]
    trail()
    for caller, method, asked in (
        ("nobody", "POST", path),
        ("expired", "POST", path),
        ("reader", "POST", path),
        ("user B", "GET", f"{path}/{run_id}"),
    ):
        await stack.api.client.request(method, asked, headers=stack.headers(caller))
    refused = "audit: refused POST /agents/{agent_id}/runs"
    assert trail() == [
        (f"audit: refused POST {path}", None, {"reason": "Authorization header missing"}),
        (f"audit: refused POST {path}", None, {"reason": "Token has expired"}),
        (refused, "user:erin", {"reason": "Insufficient permissions. Required scope(s): agents:run"}),
        (
            "audit: refused GET /agents/{agent_id}/runs/{run_id}",
            "user:bob",
            {"run_id": run_id, "reason": "Run not found"},
        ),
    ]


async def test_who_has_reached_a_limit_is_in_the_trail(trail):
    stack = await Stack().begun()
    limited = signed(claims(stack.api.world.clock, agentos_limits={"runs_per_month": 1}), "HS256")
    for _ in range(2):
        headers = {"Authorization": f"Bearer {limited}"}
        answer = await stack.api.client.post("/agents/assistant/runs", json={"message": "hi"}, headers=headers)
    assert answer.status_code == 429
    refused = ("audit: refused POST /agents/{agent_id}/runs", "user:alice")
    assert (*refused, {"reason": "The limit runs_per_month of 1 is reached"}) in trail()


async def test_the_websocket_has_the_same_trail(trail):
    world = socket_world()
    run_id = await ended_run(world)
    connect(world, "expired", "c-2")
    connect(world, "user B", "c-3")
    world.send({"action": "cancel-workflow", "workflow_id": WORKFLOW.id, "run_id": run_id}, "c-3")
    assert trail() == [
        ("audit: run started", "user:alice", {"run_id": run_id, "user_id": "alice"}),
        ("audit: start-workflow", "user:alice", {}),
        ("audit: refused authenticate", None, {"reason": "Token has expired"}),
        ("audit: refused cancel-workflow", "user:bob", {"run_id": run_id, "reason": f"Run {run_id} not found"}),
    ]


async def test_no_line_holds_a_token_or_a_message(caplog):
    caplog.set_level(logging.DEBUG)
    stack = await Stack().begun()
    world = socket_world()
    await ended_run(world)
    connect(world, "wrong audience", "c-2")
    await stack.api.client.post("/agents/assistant/runs", json={"message": "a secret"}, headers=stack.headers("user B"))
    written = "\n".join(repr(vars(record)) for record in caplog.records)
    for caller in ("user A", "user B", "wrong audience"):
        assert str(token_of(caller, stack.api.world.clock)).split(".")[2] not in written
    assert "a secret" not in written


async def test_without_tokens_there_is_one_principal_and_nothing_to_tell(trail):
    api = Api(key="the key")
    for key in ("wrong", "the key"):
        await api.client.post(
            "/agents/assistant/runs", json={"message": "hi"}, headers={"Authorization": f"Bearer {key}"}
        )
    assert trail() == []
