"""The items, where others rely on them: the indexes, the table's TTL, and later versions of this package."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.stores.dynamodb.attributes import attributes_of
from tests.stores.accounts import EVENTS_TTL_SECONDS
from tests.stores.builders import NOW, claim, contents, delta, ending, list_runs, load, output, pack, pending, running


def scan(aws, table, index=None):
    return aws.dynamodb.scan(TableName=table, **({"IndexName": index} if index else {}))["Items"]


def active_runs(aws):
    return {item["run_id"]["S"] for item in scan(aws, aws.tables.runs, "active")}


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED])
def test_the_index_of_active_runs_holds_those_that_wait_or_run(aws, status):
    store = aws.store()
    store.accept(pending())
    store.accept(pending("waits"))
    assert active_runs(aws) == {"run-1", "waits"}
    record = claim(store)
    assert active_runs(aws) == {"run-1", "waits"}
    store.commit(ending(record, status))
    assert active_runs(aws) == {"waits"}


def test_active_runs_are_spread_over_all_shards(aws):
    store = aws.store()
    for place in range(40):
        store.accept(pending(f"run-{place}"))
    assert {item["active_shard"]["S"] for item in scan(aws, aws.tables.runs, "active")} == {"0", "1", "2", "3"}


@pytest.mark.parametrize("index", ["by_component", "by_user"])
def test_only_sessions_stand_in_the_indexes_of_sessions(aws, index):
    store = aws.store()
    store.commit(ending(store.accept(running())))
    [item] = scan(aws, aws.tables.sessions, index)
    assert (item["session_id"]["S"], item["item"]["S"]) == ("session-1", "SESSION")
    assert item["updated_at"]["N"] == str(NOW + 5_000)


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
