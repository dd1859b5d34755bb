"""The items, where others rely on them: the indexes, the table's TTL, and later versions of this package."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.commands import StartRun
from agentos_lambda.runs.model import RunInput
from agentos_lambda.stores.dynamodb.attributes import attributes_of
from agentos_lambda.stores.dynamodb.blobs import media_folder, run_folder, session_prefix
from agentos_lambda.stores.dynamodb.items import DUE_SHARDS, due_shard
from agentos_lambda.stores.dynamodb.session_items import (
    COUNTER_SHARDS,
    SESSION_SHARDS,
    counter_shard,
    counters_of,
    index_keys,
    run_key,
    session_shard,
)
from tests.stores.accounts import EVENTS_TTL_SECONDS
from tests.stores.builders import NOW, claim, contents, delta, ending, list_runs, load, output, pack, pending, running
from tests.stores.dynamodb.incompressible import incompressible


def scan(aws, table, index=None):
    return aws.dynamodb.scan(TableName=table, **({"IndexName": index} if index else {}))["Items"]


def due_runs(aws):
    return {item["run_id"]["S"] for item in scan(aws, aws.tables.runs, "due")}


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED])
def test_the_index_of_what_is_due_holds_the_keys_of_runs_that_wait_or_run(aws, status):
    store = aws.store()
    store.accept(pending())
    store.accept(pending("waits"))
    assert due_runs(aws) == {"run-1", "waits"}
    record = claim(store)
    assert due_runs(aws) == {"run-1", "waits"}
    store.commit(ending(record, status))
    [item] = scan(aws, aws.tables.runs, "due")
    assert item.keys() == {"run_id", "item", "due_shard", "due_at"}
    assert item["run_id"]["S"] == "waits"


def test_ids_of_runs_spread_over_the_shards_within_a_fifth():
    counted = Counter(due_shard(str(uuid4()))["S"] for _ in range(50_000))
    assert len(counted) == DUE_SHARDS
    assert max(counted.values()) < 1.2 * 50_000 / DUE_SHARDS


LISTED = {"kind": {"S": "agent"}, "component": {"S": "writer"}, "user_id": {"S": "alice"}}


@pytest.mark.parametrize(
    ("index", "key", "value"),
    [("by_kind", "kind_shard", "agent#"), ("by_component", "component_shard", "agent#writer#")],
)
def test_an_index_of_sessions_holds_what_a_list_shows_in_a_shard_by_the_time_it_was_created(aws, index, key, value):
    store = aws.store()
    store.commit(ending(store.accept(running())))
    [item] = scan(aws, aws.tables.sessions, index)
    shard = item.pop(key)["S"].removeprefix(value)
    assert shard in {str(place) for place in range(SESSION_SHARDS)}
    assert item == {
        "session_id": {"S": "session-1"},
        "item": {"S": "SESSION"},
        "created_at": {"N": str(NOW)},
        **LISTED,
    }


def test_the_index_by_user_holds_the_sessions_that_have_one(aws):
    store = aws.store()
    store.commit(ending(store.accept(running())))
    store.commit(ending(store.accept(running("run-2", session_id="session-2", user_id=None))))
    [item] = scan(aws, aws.tables.sessions, "by_user")
    assert (item["session_id"]["S"], item["kind_user"]["S"]) == ("session-1", "agent#alice")
    assert len(scan(aws, aws.tables.sessions, "by_kind")) == 2


def test_a_later_run_of_another_component_moves_its_session_in_no_index(aws):
    store = aws.store()

    def indexed():
        return [scan(aws, aws.tables.sessions, index) for index in ("by_kind", "by_component", "by_user")]

    store.commit(ending(store.accept(running())))
    before = indexed()
    other = running("run-2", kind=Kind.TEAM, component_id="team", accepted_at=NOW + 1)
    store.commit(ending(store.accept(other), session=delta(mood="calm")))
    assert indexed() == before


@pytest.mark.parametrize(("shard", "shards"), [(session_shard, SESSION_SHARDS), (counter_shard, COUNTER_SHARDS)])
def test_ids_of_sessions_spread_over_the_shards_within_a_fifth(shard, shards):
    counted = Counter(shard(str(uuid4())) for _ in range(10_000))
    assert len(counted) == shards
    assert all(abs(count - 10_000 / shards) < 0.2 * 10_000 / shards for count in counted.values())


def index_keys_of(run):
    return index_keys(run.session_id, run.kind, run.component_id, run.user_id)


SEPARATORS = st.text(st.sampled_from("#/|:.,-_@ \u00fc01aRUNSEIO~"), min_size=1, max_size=6)
SESSIONS = st.text(st.sampled_from("#|:,-_@ \u00fc01aRUNSEIO~"), min_size=1, max_size=6)
IDS = st.text(st.sampled_from("-_:@01a"), min_size=1, max_size=4)
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


def _run_id_by_key(run):
    writer = Component(Kind.AGENT, "writer", "Writer", 0, {}, {}, {})
    return StartRun(writer, RunInput(""), user_id=run.user_id, idempotency_key=run.run_id).chosen_run_id()


@unhurried
@given(st.lists(st.tuples(IDS, IDS, SESSIONS, SEPARATORS), min_size=2, max_size=2, unique=True))
def test_ids_that_differ_make_keys_that_differ(ids):
    """Whatever separators they contain: no two runs, sessions, users or components share a key or an object."""
    one, other = (
        pending(run_id, component_id=component_id, session_id=session_id, user_id=user_id)
        for run_id, component_id, session_id, user_id in ids
    )

    def alike(keys_of):
        return keys_of(one) == keys_of(other)

    assert alike(run_key) == ((one.session_id, one.run_id) == (other.session_id, other.run_id))
    assert alike(lambda run: run_folder(run.run_id, 1)) == (one.run_id == other.run_id)
    for folder in (session_prefix, media_folder):
        assert alike(lambda run, folder=folder: folder(run.session_id)) == (one.session_id == other.session_id)
    assert alike(_run_id_by_key) == ((one.user_id, one.run_id) == (other.user_id, other.run_id))
    assert alike(lambda run: index_keys_of(run)["kind_user"]) == (one.user_id == other.user_id)
    shards = [index_keys_of(run)["component_shard"]["S"].rpartition("#")[0] for run in (one, other)]
    assert (shards[0] == shards[1]) == (one.component_id == other.component_id)
    counters = [[*counters_of(run.kind, run.component_id, run.user_id)] for run in (one, other)]
    assert (counters[0][1] == counters[1][1]) == (one.component_id == other.component_id)
    assert (counters[0][2] == counters[1][2]) == (one.user_id == other.user_id)


@unhurried
@given(SEPARATORS, SEPARATORS)
def test_users_of_different_kinds_of_component_share_no_key(one, other):
    keys = {
        index_keys_of(pending(kind=kind, user_id=user_id))["kind_user"]["S"]
        for kind in Kind
        for user_id in (one, other)
    }
    assert len(keys) == len(Kind) * len({one, other})


def test_ids_of_the_greatest_length_are_keys(aws):
    store = aws.store()
    longest = "\U0001f600" * 256
    large = incompressible(10_000)
    sessions = [longest, "#", "RUN#1", "SESSION", "...", "~", "a b", "\uffff"]
    for place, session_id in enumerate(sessions):
        made = running(f"run-{place}", session_id=session_id, user_id=longest)
        store.commit(ending(store.accept(made), session=delta(mood=[place, large])))
        assert load(store, session_id).user_id == longest
        assert load(store, session_id).fields == {"state:mood": [place, large]}
        assert [run.run_id for run in list_runs(store, session_id)] == [f"run-{place}"]
    keys = [found["Key"] for found in aws.s3.list_objects_v2(Bucket=aws.tables.bucket)["Contents"]]
    assert len({key.split("/")[1] for key in keys}) == len(sessions)
    assert all(key.isascii() and len(key) <= 1024 for key in keys)


def test_a_usual_id_of_a_session_is_readable_in_the_names_of_its_objects():
    assert session_prefix("1cb9dc4e-bef2") == "sessions/1cb9dc4e-bef2/"
    assert media_folder("first") == "media/first/"


def test_packs_name_the_second_in_which_they_expire(aws, clock):
    store = aws.store(clock)
    record = store.accept(running())
    clock.time = NOW + 7_000
    store.append("run-1", 1, pack(0, "a"))
    store.commit(ending(record, last_events=pack(1, "end"), sealed_at=1, ended_at=NOW + 9_000))
    expiries = [int(item["expires_at"]["N"]) for item in scan(aws, aws.tables.events)]
    assert sorted(expiries) == [NOW // 1000 + second + EVENTS_TTL_SECONDS for second in (7, 9)]


def test_items_of_a_later_version_are_read_for_what_they_share(aws):
    store = aws.store()
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    ended = store.commit(ending(record, session=delta(mood="calm"), last_events=pack(1, "end"), sealed_at=1))
    for table in (aws.tables.runs, aws.tables.sessions, aws.tables.events):
        for item in scan(aws, table):
            assert item["version"] == {"N": "1"}
            aws.dynamodb.put_item(TableName=table, Item={**item, "version": {"N": "2"}, "new": {"M": {}}})
    assert store.get("run-1") == ended
    assert store.output(ended) == output("run-1")
    assert load(store).fields == {"state:mood": "calm"}
    assert len(list_runs(store)) == 1
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


def test_a_field_of_a_type_that_has_no_attribute_is_refused_before_anything_is_written():
    @dataclass
    class Odd:
        ratio: float = 0.5

    with pytest.raises(TypeError):
        attributes_of(Odd())


def test_a_followers_item_beside_the_record_disturbs_nothing(aws):
    store = aws.store()
    record = store.accept(running())
    follower = {"run_id": {"S": "run-1"}, "item": {"S": "FOLLOWER#connection"}}
    aws.dynamodb.put_item(TableName=aws.tables.runs, Item=follower)
    assert store.get("run-1") == record
    assert store.commit(ending(record)) == store.get("run-1")
    assert follower in scan(aws, aws.tables.runs)
