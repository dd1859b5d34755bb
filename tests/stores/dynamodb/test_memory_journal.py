"""A run's many changes of memories: committed at once, applied by whoever comes next, whatever happens in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.memories import MAX_CHANGES
from agentos_lambda.stores.dynamodb.memory_items import user_key
from tests.stores.builders import ending, running
from tests.stores.dynamodb.faults import FaultyClient, answer_lost, refused
from tests.stores.dynamodb.incompressible import incompressible
from tests.stores.test_memories import added, changed, memory, remember, removed, texts

STEPS = 3
OLD = [memory(f"old{number:03d}", "old") for number in range(STEPS * MAX_CHANGES)]
NEW = memory("m1", "new")


@pytest.fixture
def store(ministack_aws):
    """With a journal that removes all memories but one, and adds one."""
    store = ministack_aws.store()
    remember(store, added(*OLD))
    assert len(texts(store)) == len(OLD)
    remember(store, [*removed(*OLD[1:]), *added(NEW)], "run-2")
    return store


@pytest.mark.parametrize("fault", [refused("InternalServerError", status=500), answer_lost], ids=["refused", "lost"])
@pytest.mark.parametrize("after", range(STEPS + 1))
def test_a_journal_is_applied_by_the_next_one_where_another_has_died(store, ministack_aws, fault, after):
    client = FaultyClient(ministack_aws.dynamodb)
    client.plan(fault, "transact_write_items", skip=after)
    client.plan(fault, "update_item")
    dying = ministack_aws.store(dynamodb=client, tries=1)
    with pytest.raises(StoreUnavailable):
        dying.memories_of("alice")

    assert texts(store) == ["new", "old"]
    assert store.memory_count("alice") == 2


def test_a_list_of_the_user_has_what_is_in_a_journal_that_waits(store):
    assert sorted(each.text for each in store.newest_memories("alice", limit=9)) == ["new", "old"]


def test_what_is_changed_while_a_journal_waits_stays_changed(store):
    # The run has read the memory before the journal was committed.
    remember(store, [changed(OLD[1], "newer")], "run-3")

    assert texts(store) == ["new", "newer", "old"]
    assert store.memory_count("alice") == 3


def test_a_slow_one_applies_nothing_of_a_journal_that_is_done(store, ministack_aws):
    client = FaultyClient(ministack_aws.dynamodb)
    slow = ministack_aws.store(dynamodb=client)

    def others_come_first(call):
        (new,) = [each for each in store.memories_of("alice") if each.text == "new"]
        remember(store, removed(new), "run-3")
        return call()

    client.plan(others_come_first, "transact_write_items")

    assert [each.text for each in slow.memories_of("alice")] == ["old"]
    assert texts(store) == ["old"]
    assert store.memory_count("alice") == 1


def test_a_commit_applies_a_journal_that_is_in_its_way(store):
    further = [memory(f"new{number}", "further") for number in range(MAX_CHANGES + 1)]

    store.commit(ending(store.accept(running("run-3")), memories=added(*further)))

    assert texts(store) == ["further"] * len(further) + ["new", "old"]


LARGE = [memory("large", incompressible(60_000)), *(memory(f"m{number}") for number in range(MAX_CHANGES))]


def folders(aws):
    """Those of the objects in the bucket."""
    found = aws.s3.list_objects_v2(Bucket=aws.tables.bucket).get("Contents", ())
    return [each["Key"].partition("/")[0] for each in found]


@pytest.fixture
def large(ministack_aws):
    """A store with a journal that is too large for its item."""
    store = ministack_aws.store()
    remember(store, added(*LARGE))
    return store


def test_a_large_journal_lies_apart_from_its_run_until_it_is_applied(large, ministack_aws):
    assert folders(ministack_aws) == ["memories"]

    assert texts(large) == sorted(each.text for each in LARGE)
    assert folders(ministack_aws) == []
    assert "applied" not in user_of(ministack_aws)


def user_of(aws, user_id="alice"):
    found = aws.dynamodb.get_item(TableName=aws.tables.memories, Key=user_key(user_id), ConsistentRead=True)
    return found["Item"]


@pytest.mark.parametrize("fault", [refused("InternalServerError", status=500), answer_lost], ids=["refused", "lost"])
@pytest.mark.parametrize("skip", [0, 1], ids=["before it is removed", "after it"])
def test_the_object_of_a_journal_is_removed_by_the_next_one_where_another_has_died(large, ministack_aws, fault, skip):
    client = FaultyClient(ministack_aws.dynamodb)
    client.plan(fault, "update_item", skip=skip)
    with suppress(StoreUnavailable):
        ministack_aws.store(dynamodb=client, tries=1).memories_of("alice")

    assert large.memory_count("alice") == len(LARGE)
    assert texts(large) == sorted(each.text for each in LARGE)
    assert folders(ministack_aws) == []
    assert "applied" not in user_of(ministack_aws)


@pytest.mark.parametrize("fault", [refused("InternalServerError", status=500), answer_lost], ids=["refused", "lost"])
def test_memories_are_read_though_an_object_cannot_be_removed_and_the_next_one_removes_it(large, ministack_aws, fault):
    client = FaultyClient(ministack_aws.s3)
    client.plan(fault, "delete_objects", times=2)  # a read comes to it twice

    assert len(ministack_aws.store(s3=client, tries=1).memories_of("alice")) == len(LARGE)
    assert len(user_of(ministack_aws)["applied"]["SS"]) == 1
    remember(large, added(*(replace(each, user_id="alice", memory_id=f"x{each.memory_id}") for each in LARGE)), "run-2")

    assert large.memory_count("alice") == 2 * len(LARGE)
    assert folders(ministack_aws) == []


def test_a_slow_one_finds_the_object_of_a_journal_gone(large, ministack_aws):
    client = FaultyClient(ministack_aws.s3)

    def others_come_first(call):
        assert len(texts(large)) == len(LARGE)
        return call()

    client.plan(others_come_first, "get_object")

    assert len(ministack_aws.store(s3=client).memories_of("alice")) == len(LARGE)


def test_an_object_that_cannot_be_read_is_no_applied_journal(large, ministack_aws):
    client = FaultyClient(ministack_aws.s3)
    client.plan(refused("AccessDenied", status=403), "get_object")

    with pytest.raises(StoreUnavailable):
        ministack_aws.store(s3=client, tries=1).memories_of("alice")

    assert len(texts(large)) == len(LARGE)
