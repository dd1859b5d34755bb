"""What DynamoDB deletes by itself, and what it must not: neither a session's counters nor objects in S3 know of it."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.runs.usage import day_of
from agentos_lambda.stores.dynamodb.items import record_key
from agentos_lambda.stores.dynamodb.session_fields import MAX_FIELDS
from agentos_lambda.stores.dynamodb.session_items import RETAINED, head_key, run_key
from agentos_lambda.stores.dynamodb.usage import DynamoDBUsage
from agentos_lambda.stores.retention import DAY_MS, PAUSED_DAYS, Retention
from tests.stores.builders import NOW, due, ending, output, running
from tests.stores.dynamodb.incompressible import incompressible
from tests.stores.dynamodb.test_request_counts import requests_of

ENDED = NOW + 5_000
RETENTION = Retention(sessions_days=7, runs_days=3)


@pytest.fixture
def store(moto_aws, clock):
    return moto_aws.store(clock, retention=RETENTION)


def item(aws, table, key):
    return aws.dynamodb.get_item(TableName=table, Key=key)["Item"]


def expires_at(found):
    return int(found["expires_at"]["N"]) if "expires_at" in found else None


def seconds(time):
    return time // 1000 + 1


def test_dynamodb_deletes_what_a_run_has_left_but_no_record_and_no_session(moto_aws, store):
    record = store.commit(ending(store.accept(running())))
    until = ENDED + 3 * DAY_MS
    assert expires_at(item(moto_aws, moto_aws.tables.sessions, run_key(record))) == seconds(until)
    assert expires_at(item(moto_aws, moto_aws.tables.sessions, head_key("session-1"))) is None
    assert expires_at(item(moto_aws, moto_aws.tables.runs, record_key("run-1"))) is None
    assert due(store, before=until) == []
    assert due(store, before=until + 1) == ["run-1"]


def test_what_an_expired_run_has_used_stays_in_the_bill(moto_aws, store, clock):
    record = store.commit(ending(store.accept(running())))
    clock.time = ENDED + 3 * DAY_MS + 1
    assert store.remove_expired("run-1")
    assert "Item" not in moto_aws.dynamodb.get_item(TableName=moto_aws.tables.runs, Key=record_key("run-1"))
    used = DynamoDBUsage(moto_aws.table("Runs")).used_on(day_of(record.accepted_at), None)
    assert [each.account for each in used] == [record.payer]


@pytest.mark.parametrize("paused", [False, True])
def test_the_sweeper_removes_a_run_that_has_objects(moto_aws, store, clock, paused):
    """Its own, or those of an attempt that has paused."""
    record = store.accept(running())
    large = output(incompressible(60_000))
    if paused:
        store.commit(ending(record, RunStatus.PAUSED, output=large))
        record = store.reopen(store.get("run-1"), executor="again", now=NOW, lease_until=NOW + 1)
        store.commit(ending(record))
    else:
        store.commit(ending(record, output=large))
    assert moto_aws.s3.list_objects_v2(Bucket=moto_aws.tables.bucket)["KeyCount"] == 1
    assert expires_at(item(moto_aws, moto_aws.tables.runs, record_key("run-1"))) is None
    assert due(store, before=ENDED + 3 * DAY_MS) == []
    clock.time = ENDED + 3 * DAY_MS + 1
    assert due(store, before=clock.now()) == ["run-1"]
    assert store.remove_expired("run-1")
    assert due(store, before=clock.now()) == []
    assert moto_aws.s3.list_objects_v2(Bucket=moto_aws.tables.bucket)["KeyCount"] == 0


def test_a_cancelled_pause_with_objects_is_due_again_when_it_expires(moto_aws, store):
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED, output=output(incompressible(60_000))))
    assert due(store, before=NOW + 1000 * DAY_MS) == ["run-1"]
    store.commit(ending(paused, RunStatus.CANCELLED, output=output(incompressible(60_000))))
    assert due(store, before=ENDED + 3 * DAY_MS + 1) == ["run-1"]


def test_what_a_run_continues_from_outlives_its_last_day(moto_aws, store):
    record = store.commit(ending(store.accept(running()), RunStatus.PAUSED))
    until = ENDED + PAUSED_DAYS * DAY_MS
    assert due(store, before=until + 1) == ["run-1"]
    assert expires_at(item(moto_aws, moto_aws.tables.sessions, run_key(record))) == seconds(until + DAY_MS)
    store.reopen(record, executor="again", now=NOW, lease_until=NOW + 1)
    assert "retained_until" not in item(moto_aws, moto_aws.tables.runs, record_key("run-1"))


def test_a_session_that_is_written_to_without_a_retention_never_expires(moto_aws, store, clock):
    store.create(Session("session-1", Kind.AGENT, "writer", "alice", NOW, NOW))
    kept = moto_aws.store(clock)
    if written := store.find("session-1"):
        kept.change(written, SessionDelta(), name="New", now=NOW)
    assert not item(moto_aws, moto_aws.tables.sessions, head_key("session-1")).keys() & set(RETAINED)
    store.commit(ending(store.accept(running())))
    assert item(moto_aws, moto_aws.tables.sessions, head_key("session-1")).keys() >= set(RETAINED)
    read = kept.load("session-1", kind=Kind.AGENT, component_id="writer", history=0)
    kept.commit(ending(kept.accept(running("run-2")), read=read))
    assert not item(moto_aws, moto_aws.tables.sessions, head_key("session-1")).keys() & set(RETAINED)


def test_a_commit_leaves_the_index_of_expiring_sessions_as_it_is(moto_aws, store):
    """So that it writes no unit more."""
    keys = []
    for day in range(3):
        read = store.load("session-1", kind=Kind.AGENT, component_id="writer", history=0)
        accepted = store.accept(running(f"run-{day}"))
        store.commit(ending(accepted, read=read, ended_at=ENDED + day * DAY_MS))
        head = item(moto_aws, moto_aws.tables.sessions, head_key("session-1"))
        keys.append((head["expiry_shard"], head["expiry_at"]))
        assert int(head["retained_until"]["N"]) == ENDED + (day + 7) * DAY_MS
    assert len(set(map(str, keys))) == 1


class Recorder:
    """A client that answers everything, and keeps transactions."""

    def transact_write_items(self, **request):
        self.transaction = request["TransactItems"]


def test_as_many_fields_fit_into_a_commit_of_a_session_that_expires(moto_aws, clock):
    """DynamoDB takes expressions of 4 KB, with the names' aliases and not with the names."""
    recorder = Recorder()
    store = moto_aws.store(clock, retention=RETENTION, dynamodb=recorder)
    names = SessionDelta({f"state:{place}": place for place in range(MAX_FIELDS)})
    store.commit(ending(running(), session=names, title="Talk"))
    lengths = [len(action["Update"]["UpdateExpression"]) for action in recorder.transaction if "Update" in action]
    assert 2_000 < max(lengths) <= 4_096


def test_a_sweep_of_sessions_asks_each_shard_once(moto_aws, store, clock):
    store.create(Session("session-1", Kind.AGENT, "writer", "alice", NOW, NOW))
    with requests_of(moto_aws.dynamodb) as sent:
        assert store.expiring(before=NOW, limit=400) == []
    assert sent == ["Query"] * 4
    clock.time += 7 * DAY_MS + 1
    with requests_of(moto_aws.dynamodb) as sent:
        assert len(store.expiring(before=clock.now(), limit=400)) == 1
    assert sent == [*["Query"] * 4, "BatchGetItem"]
