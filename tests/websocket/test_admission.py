"""What clients may do that have not presented the key."""

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.memory import MemoryConnections
from agentos_lambda.websocket.admission import AUTHENTICATE_WITHIN_MS, WINDOW_MS, source_of
from agentos_lambda.websocket.ports import Refused
from tests.websocket.world import World, slow

LIMIT = 5


@pytest.fixture
def bounded():
    """A deployment with a key and a small bound."""
    world = World(key="sesame", source_limit=LIMIT)
    yield world
    world.pool.shutdown()


def connect(world, connection_id, address="203.0.113.7"):
    return world.event("CONNECT", connection_id, address=address)["statusCode"]


def send(world, message, connection_id="c-1", address="203.0.113.7"):
    assert world.event("MESSAGE", connection_id, message, address=address) == {"statusCode": 200}


PING = '{"action": "ping"}'
KEY = '{"action": "authenticate", "token": "sesame"}'


def test_a_connection_that_has_not_presented_the_key_within_a_minute_is_closed(guarded):
    guarded.connect()
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS - 1)
    assert guarded.sweep_connections() == 0
    guarded.clock.advance(1)
    assert guarded.sweep_connections() == 1
    assert guarded.posts.closed == ["c-1"]
    assert guarded.connections.get("c-1") is None
    assert guarded.sweep_connections() == 0
    assert AUTHENTICATE_WITHIN_MS == 60_000


def test_what_it_sends_meanwhile_gives_it_no_more_time(guarded):
    guarded.connect()
    for _ in range(60):
        guarded.clock.advance(1000)
        guarded.send({"action": "authenticate", "token": "guess"})
    assert guarded.sweep_connections() == 1


def test_a_connection_that_has_presented_the_key_stays(guarded):
    guarded.connect()
    guarded.send({"action": "authenticate", "token": "sesame"})
    guarded.clock.advance(10 * AUTHENTICATE_WITHIN_MS)
    assert guarded.sweep_connections() == 0
    guarded.send({"action": "ping"})
    assert guarded.posts.names()[-1] == "pong"


def test_where_no_key_is_set_a_connection_stays(world):
    world.connect()
    world.clock.advance(10 * AUTHENTICATE_WITHIN_MS)
    assert world.sweep_connections() == 0


def test_a_connection_that_was_opened_while_the_key_could_not_be_read_is_closed_too(guarded):
    guarded.key_unreadable = True
    assert connect(guarded, "c-1") == 200
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS)
    assert guarded.sweep_connections() == 1


def test_a_connection_that_is_gone_is_forgotten(guarded):
    guarded.connect()
    guarded.posts.gone.add("c-1")
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS)
    assert guarded.sweep_connections() == 1
    assert guarded.connections.get("c-1") is None


def test_a_connection_that_cannot_be_closed_now_is_closed_by_the_next_sweep(guarded):
    guarded.connect()
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS)
    guarded.posts.fails["c-1"] = slow()
    assert [guarded.sweep_connections() for _ in range(2)] == [0, 1]
    assert guarded.posts.closed == ["c-1"]


def test_a_connection_that_refuses_is_forgotten(guarded):
    guarded.connect()
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS)
    guarded.posts.fails["c-1"] = [Refused("403")]
    assert guarded.sweep_connections() == 1
    assert guarded.connections.get("c-1") is None


def test_many_are_closed_in_one_sweep(guarded):
    for place in range(200):
        connect(guarded, f"c-{place}")
    guarded.clock.advance(AUTHENTICATE_WITHIN_MS)
    assert guarded.sweep_connections() == 200
    assert len(set(guarded.posts.closed)) == 200


def test_a_store_that_does_not_answer_leaves_them_to_the_next_sweep(guarded):
    class Down(MemoryConnections):
        def overdue(self, *, now):
            raise StoreUnavailable("down")

    guarded.connections = Down()
    assert guarded.sweep_connections() == 0


def test_as_many_connections_come_from_an_address_in_a_minute_as_the_limit_says(bounded):
    assert [connect(bounded, f"c-{place}") for place in range(LIMIT + 2)] == [200] * LIMIT + [429] * 2
    assert connect(bounded, "other", "203.0.113.8") == 200
    assert bounded.connections.get(f"c-{LIMIT}") is None
    bounded.clock.advance(WINDOW_MS)
    assert connect(bounded, "later") == 200


def test_a_client_that_sends_too_much_without_the_key_is_closed(bounded):
    connect(bounded, "c-1")
    bounded.greet()
    for _ in range(LIMIT - 1):
        send(bounded, PING)
    assert bounded.posts.closed == []
    send(bounded, PING)
    assert bounded.posts.closed == ["c-1"]
    assert bounded.posts.names() == ["connected"] + ["auth_required"] * (LIMIT - 1)


def test_connections_and_messages_are_counted_together(bounded):
    connect(bounded, "c-1")
    for _ in range(LIMIT - 1):
        send(bounded, '{"action": "authenticate", "token": "guess"}')
    assert connect(bounded, "c-2") == 429


def test_a_message_that_is_no_json_counts_too(bounded):
    connect(bounded, "c-1")
    for _ in range(LIMIT):
        send(bounded, "no JSON")
    assert bounded.posts.closed == ["c-1"]


def test_what_a_client_with_the_key_sends_is_not_counted(bounded):
    connect(bounded, "c-1")
    send(bounded, KEY)
    for _ in range(3 * LIMIT):
        send(bounded, PING)
    assert bounded.posts.names().count("pong") == 3 * LIMIT
    assert connect(bounded, "c-2") == 200


def test_what_a_client_sends_whose_key_was_changed_is_counted(bounded):
    connect(bounded, "c-1")
    send(bounded, KEY)
    bounded.key = "another"
    for _ in range(LIMIT):
        send(bounded, PING)
    assert bounded.posts.closed == ["c-1"]


def test_where_no_key_is_set_nothing_is_counted():
    world = World(source_limit=LIMIT)
    assert [connect(world, f"c-{place}") for place in range(3 * LIMIT)] == [200] * 3 * LIMIT
    for _ in range(3 * LIMIT):
        send(world, PING)
    assert world.posts.closed == []
    world.pool.shutdown()


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_source_is_an_address_or_a_network_of_which_a_client_has_every_address(address, source):
    assert source_of(address) == source
