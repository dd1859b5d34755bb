"""A run's many changes of memories: committed at once, applied by whoever comes next, whatever happens in between."""

from __future__ import annotations

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.memories import MAX_CHANGES
from tests.stores.builders import ending, running
from tests.stores.dynamodb.faults import FaultyClient, answer_lost, refused
from tests.stores.dynamodb.incompressible import incompressible
from tests.stores.test_memories import added, changed, memory, remember, removed, texts

STEPS = 3
OLD = [memory(f"old{number:03d}", "old") for number in range(STEPS * MAX_CHANGES)]
NEW = memory("m1", "new")


@pytest.fixture
def store(moto_aws):
    """With a journal that removes all memories but one, and adds one."""
    store = moto_aws.store()
    remember(store, added(*OLD))
    assert len(texts(store)) == len(OLD)
    remember(store, [*removed(*OLD[1:]), *added(NEW)], "run-2")
    return store


@pytest.mark.parametrize("fault", [refused("InternalServerError", status=500), answer_lost], ids=["refused", "lost"])
@pytest.mark.parametrize("after", range(STEPS + 1))
def test_a_journal_is_applied_by_the_next_one_where_another_has_died(store, moto_aws, fault, after):
    client = FaultyClient(moto_aws.dynamodb)
    client.plan(fault, "transact_write_items", skip=after)
    client.plan(fault, "update_item")
    dying = moto_aws.store(dynamodb=client, tries=1)
    with pytest.raises(StoreUnavailable):
        dying.memories_of("alice")

    assert texts(store) == ["new", "old"]
    assert store.memory_count("alice") == 2


def test_what_is_changed_while_a_journal_waits_stays_changed(store):
    # The run has read the memory before the journal was committed.
    remember(store, [changed(OLD[1], "newer")], "run-3")

    assert texts(store) == ["new", "newer", "old"]
    assert store.memory_count("alice") == 3


def test_a_slow_one_applies_nothing_of_a_journal_that_is_done(store, moto_aws):
    client = FaultyClient(moto_aws.dynamodb)
    slow = moto_aws.store(dynamodb=client)

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


def test_a_large_journal_lies_apart_from_its_run_which_may_be_removed_first(moto_aws):
    store = moto_aws.store()
    many = [memory("large", incompressible(60_000)), *(memory(f"m{number}") for number in range(MAX_CHANGES))]

    remember(store, added(*many))

    objects = moto_aws.s3.list_objects_v2(Bucket=moto_aws.tables.bucket)["Contents"]
    assert [each["Key"].partition("/")[0] for each in objects] == ["memories"]
    assert texts(store) == sorted(each.text for each in many)
