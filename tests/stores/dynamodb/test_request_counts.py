"""What a run costs in requests to DynamoDB, and that it does not grow with its session."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.stores.dynamodb.session_items import run_item_key
from tests.stores.builders import NOW, claim, delta, ending, list_runs, load, output, pack, pending, running
from tests.stores.dynamodb.incompressible import incompressible


@contextmanager
def requests_of(client):
    """The operations that a client sends, as they leave."""
    sent: list[str] = []

    def note(request, operation_name, **_context):
        assert request
        sent.append(operation_name)

    client.meta.events.register("request-created.*", note)
    try:
        yield sent
    finally:
        client.meta.events.unregister("request-created.*", note)


@pytest.fixture
def store(ministack_aws):
    return ministack_aws.store()


def run(store, place, *, user_id="alice", **fields):
    """A foreground run, as the service does it: accept, load, commit."""
    record = store.accept(running(f"run-{place:03d}", accepted_at=NOW + place, user_id=user_id))
    session = load(store, history=3)
    changes = delta(**{"place": place, **fields})
    store.commit(ending(record, session=changes, read=session, last_events=pack(0, "end"), sealed_at=0))
    return session


def write_like(aws, stored, places):
    """More runs in the session of one that is stored, like it. To accept and commit them all takes much longer."""
    key = run_item_key(stored.session_id, stored.accepted_at, stored.run_id)
    item = aws.dynamodb.get_item(TableName=aws.tables.sessions, Key=key)["Item"]
    for first in range(places.start, places.stop, 25):
        puts = [_item_like(item, place) for place in range(first, min(first + 25, places.stop))]
        aws.dynamodb.batch_write_item(
            RequestItems={aws.tables.sessions: [{"PutRequest": {"Item": put}} for put in puts]}
        )


def _item_like(item, place):
    run_id, accepted_at = f"run-{place:03d}", NOW + place
    key = run_item_key(item["session_id"]["S"], accepted_at, run_id)
    return {**item, **key, "run_id": {"S": run_id}, "accepted_at": {"N": str(accepted_at)}}


def test_a_run_takes_three_requests_the_first_like_the_hundred_and_first(store, ministack_aws):
    with requests_of(ministack_aws.dynamodb) as first, requests_of(ministack_aws.s3) as objects:
        run(store, 0)
    write_like(ministack_aws, store.get("run-000"), range(1, 97))
    for place in range(97, 100):
        run(store, place)
    with requests_of(ministack_aws.dynamodb) as later:
        session = run(store, 100)
    assert first == later == THREE
    assert objects == []
    assert [stored.run_id for stored in session.runs] == ["run-097", "run-098", "run-099"]
    assert session.fields == {"state:place": 99}


THREE = ["PutItem", "Query", "TransactWriteItems"]


def test_a_run_of_a_user_in_everybodys_session_takes_three_requests(store, ministack_aws):
    run(store, 0, user_id=None)
    with requests_of(ministack_aws.dynamodb) as sent:
        run(store, 1, user_id="bob")
        run(store, 2, user_id=None)
    assert sent == THREE * 2


def test_a_session_of_five_thousand_small_values_takes_three_requests_and_nothing_of_s3(store, ministack_aws):
    with requests_of(ministack_aws.dynamodb) as sent, requests_of(ministack_aws.s3) as objects:
        run(store, 0, **{f"key {place}": place for place in range(5000)})
        run(store, 1)
        session = run(store, 2)
    assert sent == THREE * 3
    assert objects == []
    assert (len(session.fields), session.fields["state:key 4999"], session.fields["state:place"]) == (5001, 4999, 1)


def test_a_large_session_is_written_in_parts_and_only_where_many_keys_change(store, ministack_aws):
    large = {f"key {place}": incompressible(8_000, place) for place in range(100)}
    with requests_of(ministack_aws.dynamodb) as sent, requests_of(ministack_aws.s3) as objects:
        run(store, 0, **large, **{f"small {place}": place for place in range(200)})
    assert (sent, set(objects)) == (THREE, {"PutObject"})
    assert len(objects) <= 16
    with requests_of(ministack_aws.dynamodb) as sent, requests_of(ministack_aws.s3) as objects:
        session = run(store, 1)
    assert (sent, set(objects)) == (THREE, {"GetObject"})
    assert len(objects) <= 16
    assert len(session.fields) == 301


def test_a_commit_that_another_has_overtaken_takes_one_request_more(store, ministack_aws):
    run(store, 0, **{f"key {place}": place for place in range(300)})
    records = [store.accept(running(f"run-{name}")) for name in ("one", "other")]
    read = load(store)
    fields = {f"new {place}": place for place in range(300)}
    with requests_of(ministack_aws.dynamodb) as sent:
        for record in records:
            store.commit(ending(record, session=delta(**fields), read=read))
    assert sent == ["TransactWriteItems"] * 3


def test_a_session_is_loaded_for_its_owner_alone_without_what_is_large(store, ministack_aws):
    run(store, 0, **{f"key {place}": incompressible(8_000, place) for place in range(20)})
    with requests_of(ministack_aws.dynamodb) as sent, requests_of(ministack_aws.s3) as objects:
        assert load(store, history=None).user_id == "alice"
    assert (sent, objects) == (["Query"], [])


def test_a_queued_run_takes_one_request_more(store, ministack_aws):
    with requests_of(ministack_aws.dynamodb) as sent:
        store.accept(pending())
        claimed = claim(store)
        load(store)
        store.commit(ending(claimed))
    assert sent == ["PutItem", "UpdateItem", "Query", "TransactWriteItems"]


def test_the_search_for_history_behind_failed_runs_has_an_end(store, ministack_aws):
    run(store, 0)
    failed = store.accept(running("run-001", accepted_at=NOW + 1))
    store.commit(ending(failed, RunStatus.ERROR))
    write_like(ministack_aws, failed, range(2, 260))
    with requests_of(ministack_aws.dynamodb) as sent:
        session = load(store)
    assert sent == ["Query"] * 5
    assert session.runs == ()


def test_a_list_of_runs_has_them_all_however_large_they_are(store, ministack_aws):
    large = output(incompressible(30_000))
    for place in range(40):
        store.commit(ending(store.accept(running(f"run-{place:03d}", accepted_at=NOW + place)), output=large))
    with requests_of(ministack_aws.dynamodb) as sent:
        runs = list_runs(store)
    assert sent == ["Query", "Query"]
    assert [(run.run_id, run.output) for run in runs] == [(f"run-{place:03d}", large) for place in range(40)]


def test_a_session_without_history_takes_one_request(store, ministack_aws):
    run(store, 0)
    with requests_of(ministack_aws.dynamodb) as sent:
        assert load(store, kind=Kind.WORKFLOW, component_id="flow", history=0).runs == ()
    assert sent == ["Query"]


def test_a_follower_pays_one_request_for_what_is_new(store, ministack_aws):
    record = store.accept(running())
    for index in range(50):
        store.append("run-1", 1, pack(index, "text"))
    with requests_of(ministack_aws.dynamodb) as sent:
        assert [indexed.index for indexed in store.read(record, after=47)] == [48, 49]
        assert store.read(record, after=49) == []
        assert sent == ["Query", "Query"]
        assert len(store.read(record, after=-1)) == 50
        assert sent == ["Query"] * 4
    ended = store.commit(ending(record, sealed_at=49))
    with requests_of(ministack_aws.dynamodb) as sent:
        assert store.read(ended, after=49) == []
    assert sent == []
