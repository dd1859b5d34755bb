"""Greeting and authentication."""

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.websocket.ports import Gone
from tests.websocket.world import World

OPEN = {"event": "connected", "message": "Connected to AgentOS.", "requires_auth": False}
GUARDED = {
    "event": "connected",
    "message": "Connected to AgentOS. Please authenticate to continue.",
    "requires_auth": True,
}
AUTHENTICATED = {"event": "authenticated", "message": "Authentication successful. You can now send commands."}


@pytest.mark.parametrize(("key", "greeting"), [(None, OPEN), ("sesame", GUARDED)])
def test_a_client_is_greeted_without_sending_anything(key, greeting):
    world = World(key=key)
    world.event("CONNECT", "c-1")
    assert world.posts.messages == {}
    world.greet()
    assert world.posts.got() == [greeting]


def test_a_client_that_sends_at_once_is_greeted_first_and_once(world):
    world.event("CONNECT", "c-1")
    world.send({"action": "ping"})
    world.greet()
    assert world.posts.got() == [OPEN, {"event": "pong"}]


def test_a_greeting_that_is_delivered_twice_is_posted_once(world):
    world.event("CONNECT", "c-1")
    world.greetings.send("c-1")
    world.greet()
    assert world.posts.names() == ["connected"]


def test_a_message_that_overtakes_the_greeting_waits_for_it(world):
    world.event("CONNECT", "c-1")
    assert world.connections.claim_greeting("c-1", now=world.clock.now(), stale_before=0)
    polls = []

    def other_greeter(_connection_id, _text):
        raise AssertionError("nothing may be posted before the greeting")

    world.posts.before = other_greeter

    def other_greeter_greets():
        polls.append(world.pauses[-1])
        if len(polls) == 3:
            world.posts.before = lambda *_: None
            world.posts.post("c-1", '{"event": "connected"}')
            world.connections.note_greeted("c-1")

    world.meanwhile = other_greeter_greets
    world.send({"action": "ping"})
    assert world.posts.names() == ["connected", "pong"]
    assert len(polls) == 3


def test_a_greeter_that_died_is_replaced(world):
    world.event("CONNECT", "c-1")
    assert world.connections.claim_greeting("c-1", now=world.clock.now(), stale_before=0)
    world.send({"action": "ping"})
    assert world.posts.names() == ["connected", "pong"]


def test_a_connection_that_is_still_being_opened_is_greeted_when_it_is(world):
    world.event("CONNECT", "c-1")
    world.posts.gone.add("c-1")
    attempts = []

    def opens_later(connection_id, _text):
        attempts.append(connection_id)
        if len(attempts) == 3:
            world.posts.gone.clear()

    world.posts.before = opens_later
    world.greet()
    assert world.posts.names() == ["connected"]


def test_a_greeting_that_finds_no_open_connection_fails_so_that_lambda_invokes_again(world):
    world.event("CONNECT", "c-1")
    world.posts.gone.add("c-1")
    with pytest.raises(Gone):
        world.handler({"greet": "c-1"}, None)
    world.posts.gone.clear()
    world.clock.advance(60_000)
    world.greet()
    assert world.posts.names() == ["connected"]


def test_a_greeter_waits_no_longer_for_a_connection_that_has_been_closed(world):
    world.event("CONNECT", "c-1")
    world.posts.gone.add("c-1")
    world.meanwhile = lambda: world.event("DISCONNECT", "c-1")
    world.greet()
    assert len(world.pauses) == 1


def test_a_client_that_left_before_its_greeting_leaves_nothing_to_do(world):
    world.event("CONNECT", "c-1")
    world.event("DISCONNECT", "c-1")
    world.greet()
    assert world.posts.messages == {}


def test_a_client_whose_greeting_cannot_be_asked_for_is_greeted_at_its_first_message(world):
    world.greetings.down = True
    assert world.event("CONNECT", "c-1") == {"statusCode": 200}
    world.send({"action": "ping"})
    assert world.posts.names() == ["connected", "pong"]


def test_without_its_store_a_connection_is_refused(world):
    def down(*_args, **_kwargs):
        raise StoreUnavailable("down")

    world.connections.open = down
    assert world.event("CONNECT", "c-1") == {"statusCode": 503}


@pytest.mark.parametrize("action", ["ping", "start-workflow", "reconnect", "cancel-workflow", "bogus"])
def test_before_the_key_no_action_is_done(guarded, action):
    guarded.connect()
    guarded.send({"action": action, "workflow_id": "story-workflow", "run_id": "r"})
    assert guarded.posts.got() == [
        {
            "event": "auth_required",
            "error": "Authentication required. Send authenticate action with valid bearer token.",
        }
    ]
    assert not guarded.queue.waiting


def test_a_wrong_token_may_be_followed_by_the_right_one(guarded):
    guarded.connect()
    for token in ("", None, 7, "guess", "sesame "):
        guarded.send({"action": "authenticate", "token": token})
    guarded.send({"action": "authenticate", "token": "sesame"})
    guarded.send({"action": "ping"})
    required, invalid = ({"event": "auth_error", "error": f"{text}"} for text in ("Token is required", "Invalid token"))
    assert guarded.posts.got() == [required] * 3 + [invalid] * 2 + [AUTHENTICATED, {"event": "pong"}]


def test_the_key_of_one_connection_opens_no_other(guarded):
    guarded.connect("c-1")
    guarded.connect("c-2")
    guarded.send({"action": "authenticate", "token": "sesame"}, "c-1")
    guarded.send({"action": "ping"}, "c-2")
    assert guarded.posts.names("c-2") == ["auth_required"]


def test_without_a_key_any_token_is_accepted_but_not_a_missing_one(world):
    world.connect()
    world.send({"action": "authenticate", "token": "anything"})
    world.send({"action": "authenticate"})
    assert world.posts.got() == [AUTHENTICATED, {"event": "auth_error", "error": "Token is required"}]


def test_while_the_key_cannot_be_read_every_action_is_refused(guarded):
    guarded.connect()

    guarded.key_unreadable = True
    guarded.send({"action": "authenticate", "token": "sesame"})
    guarded.send({"action": "ping"})
    assert guarded.posts.names() == ["error", "error"]
