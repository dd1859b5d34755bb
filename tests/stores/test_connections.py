"""What every store of connections guarantees."""

from __future__ import annotations

import pytest

from agentos_lambda.identity.authority import Grant
from agentos_lambda.stores.dynamodb.connections import DynamoDBConnections
from agentos_lambda.stores.memory import MemoryConnections
from agentos_lambda.websocket.ports import CONNECTION_LIFETIME_MS, Connection, ConnectionStore, TooManyRuns
from tests.cloud import CONNECTIONS
from tests.stores.accounts import Aws
from tests.stores.builders import NOW

KEY = Grant(proof="p")
TOKEN = Grant(subject="alice", scopes=("agents:run", "workflows:a:run"), expires_at=NOW + 60_000)


@pytest.fixture
def connections(backing: Aws | None) -> ConnectionStore:
    if backing is None:
        return MemoryConnections()
    return DynamoDBConnections(backing.table(CONNECTIONS))


@pytest.fixture
def opened(connections):
    connections.open("c-1", now=NOW)
    return connections


def claim(connections, now=NOW):
    return connections.claim_greeting("c-1", now=now, stale_before=now - 5_000)


def test_a_new_connection_has_done_nothing(opened):
    assert opened.get("c-1") == Connection("c-1")
    assert opened.get("c-2") is None


def test_a_connection_that_is_opened_again_keeps_what_it_has_done(opened):
    opened.authenticate("c-1", grant=KEY, now=NOW)
    opened.add_run("c-1", "r-1", limit=2)
    opened.open("c-1", now=NOW)
    assert opened.get("c-1") == Connection("c-1", grant=KEY, run_ids=frozenset({"r-1"}))


def test_a_closed_connection_is_given_as_it_was_and_is_no_more(opened):
    opened.add_run("c-1", "r-1", limit=2)
    assert opened.close("c-1") == Connection("c-1", run_ids=frozenset({"r-1"}))
    assert opened.close("c-1") is None
    assert opened.get("c-1") is None


@pytest.mark.parametrize("grant", [TOKEN, KEY], ids=["token", "key"])
def test_what_a_client_has_shown_stays_until_it_shows_something_else(opened, grant):
    opened.authenticate("c-1", grant=Grant(subject="bob"), now=NOW)
    opened.authenticate("c-1", grant=grant, now=NOW)
    assert opened.get("c-1").grant == grant


def test_what_a_client_has_shown_earlier_takes_the_place_of_nothing_later(opened):
    opened.authenticate("c-1", grant=KEY, now=NOW + 1)
    opened.authenticate("c-1", grant=TOKEN, now=NOW)
    assert opened.get("c-1").grant == KEY


def test_one_greeter_of_many_gets_the_greeting(opened):
    assert [claim(opened) for _ in range(3)] == [True, False, False]
    assert not opened.get("c-1").greeted
    opened.note_greeted("c-1")
    assert opened.get("c-1").greeted


def test_a_greeter_that_did_nothing_is_replaced_but_not_one_that_greeted(opened):
    assert claim(opened)
    assert not claim(opened, NOW + 5_000)
    assert claim(opened, NOW + 5_001)
    opened.note_greeted("c-1")
    assert not claim(opened, NOW + 60_000)


def test_runs_are_counted_once_each_up_to_the_limit(opened):
    for run_id in ("r-1", "r-2", "r-2"):
        opened.add_run("c-1", run_id, limit=2)
    with pytest.raises(TooManyRuns):
        opened.add_run("c-1", "r-3", limit=2)
    opened.remove_run("c-1", "r-1")
    opened.remove_run("c-1", "r-1")
    opened.add_run("c-1", "r-3", limit=2)
    assert opened.get("c-1").run_ids == {"r-2", "r-3"}
    opened.remove_run("c-1", "r-2")
    opened.remove_run("c-1", "r-3")
    assert opened.get("c-1").run_ids == frozenset()


def test_a_connection_is_overdue_until_it_presents_the_key_or_is_closed(connections):
    for place, connection_id in enumerate(("c-1", "c-2", "c-3", "c-4")):
        connections.open(connection_id, now=NOW, authenticate_by=NOW + 60_000 + place)
    connections.open("no-key-is-set", now=NOW)
    assert list(connections.overdue(now=NOW + 59_999)) == []
    connections.authenticate("c-2", grant=KEY, now=NOW)
    connections.close("c-3")
    assert list(connections.overdue(now=NOW + 60_002)) == ["c-1"]
    assert list(connections.overdue(now=NOW + 60_003)) == ["c-1", "c-4"]


def test_only_an_overdue_connection_expires(connections):
    for connection_id in ("c-1", "c-2", "c-3"):
        connections.open(connection_id, now=NOW, authenticate_by=NOW + 60_000)
    connections.authenticate("c-2", grant=KEY, now=NOW)
    connections.open("c-4", now=NOW)
    connections.expire("c-3", now=NOW + 59_999)
    for connection_id in ("c-1", "c-1", "c-2", "c-4", "c-5"):
        connections.expire(connection_id, now=NOW + 60_000)
    assert [connections.get(f"c-{place}") is None for place in range(1, 6)] == [True, False, False, False, True]


def test_a_connection_that_is_opened_again_has_no_more_time(connections):
    connections.open("c-1", now=NOW, authenticate_by=NOW + 1)
    connections.open("c-1", now=NOW, authenticate_by=NOW + 100)
    assert list(connections.overdue(now=NOW + 1)) == ["c-1"]


def test_a_source_is_counted_up_to_its_limit(connections):
    assert [connections.count("a#1", now=NOW, limit=3) for _ in range(5)] == [True, True, True, False, False]
    assert connections.count("b#1", now=NOW, limit=3)
    assert connections.count("a#2", now=NOW, limit=3)


def test_nothing_brings_a_closed_connection_back(connections):
    connections.authenticate("c-1", grant=KEY, now=NOW)
    connections.note_greeted("c-1")
    connections.remove_run("c-1", "r-1")
    assert not claim(connections)
    with pytest.raises(TooManyRuns):
        connections.add_run("c-1", "r-1", limit=2)
    assert connections.get("c-1") is None


def test_an_item_expires_when_the_connection_has_ended_in_any_case(ministack_aws):
    DynamoDBConnections(ministack_aws.table(CONNECTIONS)).open("c-1", now=NOW)
    item = ministack_aws.dynamodb.get_item(TableName=CONNECTIONS, Key={"connection_id": {"S": "c-1"}})["Item"]
    assert int(item["expires_at"]["N"]) == (NOW + CONNECTION_LIFETIME_MS) // 1000


def test_the_count_of_a_source_expires(ministack_aws):
    DynamoDBConnections(ministack_aws.table(CONNECTIONS)).count("a#1", now=NOW, limit=3)
    key = {"connection_id": {"S": "source#a#1"}}
    item = ministack_aws.dynamodb.get_item(TableName=CONNECTIONS, Key=key)["Item"]
    assert int(item["expires_at"]["N"]) > NOW // 1000 + 60
