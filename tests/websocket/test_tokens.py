"""Tokens on the WebSocket: who a connection is, what is its own, and when its authority ends."""

from __future__ import annotations

from typing import Any

import pytest

from agentos_lambda.identity.errors import KeysUnavailable
from tests.identity.callers import EVERYTHING, token_of
from tests.identity.tokens import claims, signed, verifier
from tests.websocket.world import WORKFLOW, World

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
SENTENCE = "Authentication required. Send authenticate action with valid JWT."


@pytest.fixture
def world() -> World:
    world = World()
    world.tokens = verifier(world.clock, "HS256")
    world.handler = world.environment(lambda: "the key")
    world.connect()
    return world


def token(world: World, **changed: Any) -> str:
    return signed(claims(world.clock, **{"scopes": EVERYTHING, **changed}), "HS256")


def authenticate(world: World, presented: str | None = None, connection_id: str = "c-1") -> list[dict[str, Any]]:
    """The answers."""
    before = len(world.posts.got(connection_id))
    world.send({"action": "authenticate", "token": presented or token(world)}, connection_id)
    return world.posts.got(connection_id)[before:]


def ask(world: World, connection_id: str = "c-1", **message: Any) -> dict[str, Any]:
    world.send(message, connection_id)
    return world.posts.got(connection_id)[-1]


def test_a_token_is_answered_in_two_frames_of_which_the_second_names_the_user(world):
    assert authenticate(world) == [
        {"event": "authenticated", "message": "Authentication successful. You can now send commands."},
        {"event": "authenticated", "message": "JWT authentication successful.", "user_id": "alice"},
    ]
    assert ask(world, action="ping") == {"event": "pong"}


def test_everything_else_wants_a_token_first(world):
    for action in ("ping", "start-workflow", "reconnect", "continue-workflow", "cancel-workflow"):
        assert ask(world, action=action) == {"event": "auth_required", "error": SENTENCE}


@pytest.mark.parametrize(
    ("presented", "error", "error_type"),
    [
        ("no token", "Not enough segments", "invalid_token"),
        ("the key", "Not enough segments", "invalid_token"),
        ("expired", "Signature has expired", "expired"),
        ("wrong audience", "Invalid audience", "invalid_token"),
        ("wrong issuer", "Invalid issuer", "invalid_token"),
    ],
)
def test_a_refusal_says_why_and_the_client_may_try_again(world, presented, error, error_type):
    known = presented in ("expired", "wrong audience", "wrong issuer")
    [answer] = authenticate(world, token_of(presented, world.clock) if known else presented)
    assert answer == {"event": "auth_error", "error": error, "error_type": error_type}
    assert ask(world, action="ping")["event"] == "auth_required"
    assert len(authenticate(world)) == 2


def test_without_keys_of_the_issuer_nobody_is_let_in_and_who_is_in_stays(world):
    class NoKeys:
        def verify(self, token):
            raise KeysUnavailable("gone")

    authenticate(world)
    world.tokens = NoKeys()
    world.handler = world.environment(lambda: "the key")
    [answer] = authenticate(world)
    assert (answer["event"], answer["error_type"]) == ("auth_error", "server_error")
    assert ask(world, action="ping") == {"event": "pong"}


def test_a_connection_keeps_no_token(world):
    presented = token(world)
    authenticate(world, presented)
    stored = repr(world.connections.get("c-1"))
    assert "alice" in stored
    assert not any(part in stored for part in presented.split("."))


def test_the_authority_of_a_connection_ends_with_its_token(world):
    authenticate(world)
    world.clock.advance(HOUR_MS - 1)
    assert ask(world, action="ping") == {"event": "pong"}
    world.clock.advance(1)
    assert ask(world, action="ping") == {"event": "auth_required", "error": SENTENCE}
    within_the_skew = token(world, exp=world.clock.now() // 1000)
    [refused] = authenticate(world, within_the_skew)
    assert refused == {"event": "auth_error", "error": "Signature has expired", "error_type": "expired"}
    assert len(authenticate(world)) == 2
    assert ask(world, action="ping") == {"event": "pong"}


async def test_a_run_is_the_users_whatever_user_the_message_names(world):
    authenticate(world)
    run_id = world.start(user_id="bob")
    assert world.store.get(run_id).user_id == "alice"
    authenticate(world, token(world, sub="root", scopes=["agent_os:admin"]))
    assert world.store.get(world.start(user_id="bob")).user_id == "bob"


async def test_another_users_run_looks_like_one_that_is_not_there(world):
    authenticate(world)
    run_id = world.start(session_id="s")
    await world.work()
    world.connect("c-2")
    authenticate(world, token(world, sub="bob"), "c-2")
    about = {"workflow_id": WORKFLOW.id, "session_id": "s", "user_id": "alice", "step_requirements": []}
    for action in ("reconnect", "continue-workflow", "cancel-workflow"):
        seen = [ask(world, "c-2", action=action, run_id=each, **about) for each in (run_id, "unknown")]
        assert seen[0]["event"] == "error"
        assert seen[0]["error"].replace(run_id, "unknown") == seen[1]["error"]
    assert ask(world, "c-2", action="start-workflow", message="hi", **about)["error"] == "Session not found"
    assert world.followers.all() == []


@pytest.mark.parametrize(("field", "missing"), [("workflow_id", "workflow_id"), ("session_id", "session_id")])
def test_a_user_names_workflow_and_session_to_come_back_to_a_run(world, field, missing):
    authenticate(world)
    message = {"action": "reconnect", "run_id": "r", "workflow_id": WORKFLOW.id, "session_id": "s"}
    del message[field]
    assert ask(world, **message)["error"] == f"{missing} is required to reconnect to a workflow run"


def test_a_scope_for_one_workflow_is_enough_for_it_and_for_no_other(world):
    authenticate(world, token(world, scopes=[f"workflows:{WORKFLOW.id}:run"]))
    world.start()
    for named in ("another", "", None):
        answer = ask(world, action="start-workflow", workflow_id=named, message="hi")
        assert answer == {"event": "error", "error": "Insufficient permissions to run this workflow"}


async def test_a_follower_is_told_nothing_once_the_token_has_expired(world):
    authenticate(world)
    run_id = world.start()
    [follower] = world.followers.all()
    assert follower.until == world.clock.now() // 1000 * 1000 + HOUR_MS
    world.clock.advance(HOUR_MS)
    told = len(world.posts.got())
    await world.work()
    assert world.store.get(run_id).status.final
    assert len(world.posts.got()) == told
    assert world.is_clean()


async def test_the_executor_stops_posting_to_it_within_a_refresh(world):
    authenticate(world)
    run_id = world.start()
    record = world.store.get(run_id)
    feed = world.live(record, world.pool)
    feed.refresh()
    assert len(feed._cursors) == 1
    world.clock.advance(HOUR_MS)
    feed.refresh()
    assert (feed._cursors, world.followers.all()) == ({}, [])


@pytest.mark.parametrize(("changed", "extended"), [({}, True), ({"scopes": ["workflows:other:run"]}, False)])
def test_a_new_token_of_the_same_user_lets_its_followers_be_told_for_longer(world, changed, extended):
    authenticate(world)
    world.start()
    [before] = world.followers.all()
    world.clock.advance(HOUR_MS // 2)
    authenticate(world, token(world, **changed))
    [after] = world.followers.all()
    assert after.until == (before.until + HOUR_MS // 2 if extended else before.until)


@pytest.mark.parametrize(("changed", "told"), [({"sub": "bob"}, False), ({"scopes": ["workflows:*:run"]}, True)])
async def test_a_connection_that_is_somebody_elses_by_now_is_told_nothing_of_the_first_ones_runs(world, changed, told):
    authenticate(world)
    run_id = world.start()
    feed = world.live(world.store.get(run_id), world.pool)
    feed.refresh()
    authenticate(world, token(world, **changed))
    feed.refresh()
    assert (len(feed._cursors), world.is_clean()) == (int(told), not told)
    before = len(world.posts.got())
    await world.work()
    assert (len(world.posts.got()) > before) is told


def test_the_key_extends_nothing_since_it_does_not_expire(monkeypatch):
    world = World(key="the key")
    world.connect()
    authenticate(world, "the key")
    world.start()
    monkeypatch.setattr(world.followers, "extend", lambda *_, **__: pytest.fail("a write for nothing"))
    assert [answer["event"] for answer in authenticate(world, "the key")] == ["authenticated"]
