"""Writes to connections and followers whose first answer is lost, so that the store sends them again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.identity.authority import Grant
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.dynamodb.connections import DynamoDBConnections
from agentos_lambda.stores.dynamodb.followers import DynamoDBFollowers
from agentos_lambda.websocket.ports import Connection, Follower, Form
from tests.cloud import CONNECTIONS
from tests.stores.builders import NOW
from tests.stores.dynamodb.faults import FaultyClient, answer_lost, refused

HELD = Follower("run-1", "c-1", "token-1", 0, Form.FLAT, held_until=NOW + 1000)
OPERATIONS = ("put_item", "update_item", "delete_item")


@pytest.fixture
def client(aws):
    return FaultyClient(aws.dynamodb)


@pytest.fixture
def connections(aws, client):
    connections = DynamoDBConnections(aws.table(CONNECTIONS, dynamodb=client))
    client.plan(answer_lost, *OPERATIONS)
    return connections


@pytest.fixture
def followers(aws, client):
    followers = DynamoDBFollowers(aws.table("Runs", dynamodb=client))
    followers.put(HELD, now=NOW)
    client.plan(answer_lost, *OPERATIONS)
    return followers


def claim(connections, now=NOW):
    return connections.claim_greeting("c-1", now=now, stale_before=now - 5_000)


def test_a_connection_is_open(connections):
    connections.open("c-1", now=NOW)
    assert connections.get("c-1") == Connection("c-1")


def test_whoever_has_claimed_the_greeting_greets_and_nobody_else(connections):
    connections.open("c-1", now=NOW)
    assert claim(connections)
    assert not claim(connections)


def test_a_connection_is_authenticated(connections):
    connections.open("c-1", now=NOW)
    connections.authenticate("c-1", grant=Grant("p"), now=NOW)
    assert connections.get("c-1").grant == Grant("p")


def test_a_run_takes_one_place_of_its_connection(connections, client):
    connections.open("c-1", now=NOW)
    connections.add_run("c-1", "r-1", limit=1)
    assert connections.get("c-1").run_ids == {"r-1"}
    client.plan(answer_lost, *OPERATIONS)
    connections.remove_run("c-1", "r-1")
    assert connections.get("c-1").run_ids == frozenset()


def test_a_source_is_counted_once_up_to_its_limit(connections, client):
    assert connections.count("a#1", now=NOW, limit=2)
    client.plan(answer_lost, *OPERATIONS)
    assert connections.count("a#1", now=NOW, limit=2)
    assert not connections.count("a#1", now=NOW, limit=2)


def test_a_connection_is_closed_though_nobody_learns_how_it_was(connections):
    connections.open("c-1", now=NOW)
    assert connections.close("c-1") is None
    assert connections.get("c-1") is None


def test_a_follower_is_put_released_and_taken(followers, client):
    other = replace(HELD, connection_id="c-2")
    followers.put(other, now=NOW)
    released = followers.release(other, next_index=9)
    assert released == replace(other, next_index=9, held_until=None)
    client.plan(answer_lost, *OPERATIONS)
    assert followers.take(other, attempt=1)
    assert followers.of_run("run-1") == [HELD, replace(released, attempt=1)]


def test_nobody_tells_the_rest_of_a_follower_of_which_nobody_knows_who_has_removed_it(followers):
    with pytest.raises(StoreUnavailable):
        followers.remove(HELD)
    assert followers.of_run("run-1") == []
    assert followers.remove(HELD) is False


def test_a_throttled_removal_leaves_no_doubt(followers, client):
    client.plan(refused("ThrottlingException"), "delete_item", times=2)
    assert followers.remove(HELD) is True
    client.plan(refused("ThrottlingException"), "delete_item", times=2)
    assert followers.remove(HELD) is False


def test_a_closed_connection_is_dropped(followers):
    followers.drop("run-1", "c-1")
    assert followers.of_run("run-1") == []
