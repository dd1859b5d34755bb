"""Service accounts on the WebSocket: their frames, and that a revoked one is told nothing after a minute."""

from __future__ import annotations

from secrets import token_bytes

import pytest

from agentos_lambda.identity.accounts.known import COUNTS_MS, MAX_FAILURES
from agentos_lambda.identity.accounts.service import DAY_MS, AccountService, NewAccount
from agentos_lambda.identity.principal import KEY_HOLDER
from agentos_lambda.runs.errors import StoreUnavailable
from tests.websocket.test_tokens import ask, authenticate
from tests.websocket.world import World

pytestmark = pytest.mark.anyio

NEEDED = "Authentication required. Send authenticate action with valid bearer token."


@pytest.fixture
def world() -> World:
    world = World(key="the key")
    world.connect()
    return world


def created(world: World, *scopes: str, days: int | None = None) -> str:
    service = AccountService(world.accounts, world.clock, random_bytes=token_bytes)
    return service.create(KEY_HOLDER, NewAccount("ci-bot", scopes or ("workflows:run",), days))[1]


def revoke(world: World) -> None:
    for account in world.accounts.all():
        world.accounts.revoke(account, now=world.clock.now())


def test_the_token_of_an_account_is_answered_in_two_frames(world):
    assert authenticate(world, created(world)) == [
        {"event": "authenticated", "message": "Authentication successful. You can now send commands."},
        {
            "event": "authenticated",
            "message": "Service account authentication successful.",
            "user_id": "sa:ci-bot",
        },
    ]
    assert ask(world, action="ping") == {"event": "pong"}


def test_a_wrong_token_is_refused_and_after_many_in_other_words(world):
    answers = [authenticate(world, "agno_pat_" + "x" * 40) for _ in range(MAX_FAILURES + 1)]
    assert answers[0] == [{"event": "auth_error", "error": "Invalid or expired service account token"}]
    assert answers[-1] == [{"event": "auth_error", "error": "Too many failed authentication attempts"}]
    assert len(authenticate(world, created(world))) == 2


def test_while_accounts_cannot_be_read_the_client_may_try_again(world, monkeypatch):
    def gone(_account_id: str) -> None:
        raise StoreUnavailable("gone")

    token = created(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.accounts, "find", gone)
        world.handler = world.environment(lambda: "the key")
        assert authenticate(world, token) == [
            {"event": "auth_error", "error": "Authentication is temporarily unavailable"}
        ]
    world.handler = world.environment(lambda: "the key")
    assert len(authenticate(world, token)) == 2


def test_scopes_of_an_account_are_those_of_its_connection(world):
    authenticate(world, created(world, "workflows:other:run"))
    answer = ask(world, action="start-workflow", workflow_id="story-workflow", message="hi")
    assert answer == {"event": "error", "error": "Insufficient permissions to run this workflow"}


def test_a_connection_keeps_no_token_and_loses_its_authority_when_the_account_is_revoked_or_expires(world):
    token = created(world, days=1)
    authenticate(world, token)
    assert token not in repr(world.connections.get("c-1"))
    world.clock.advance(DAY_MS - 1)
    assert ask(world, action="ping") == {"event": "pong"}
    world.clock.advance(1)
    assert ask(world, action="ping") == {"event": "auth_required", "error": NEEDED}
    revoke(world)
    authenticate(world, created(world))
    revoke(world)
    world.clock.advance(COUNTS_MS)
    assert ask(world, action="ping") == {"event": "auth_required", "error": NEEDED}


async def test_a_run_is_the_accounts_whatever_user_the_message_names(world):
    authenticate(world, created(world))
    assert world.store.get(world.start(user_id="bob")).user_id == "sa:ci-bot"


async def test_a_follower_is_told_nothing_a_minute_after_its_account_was_revoked(world):
    authenticate(world, created(world))
    run_id = world.start()
    feed = world.live(world.store.get(run_id), world.pool)
    feed.refresh()
    revoke(world)
    world.clock.advance(COUNTS_MS - 1)
    feed.refresh()
    assert len(feed._cursors) == 1
    world.clock.advance(1)
    feed.refresh()
    assert (feed._cursors, world.followers.all()) == ({}, [])
    told = len(world.posts.got())
    await world.work()
    assert world.store.get(run_id).status.final
    assert len(world.posts.got()) == told
