"""What every store guarantees about the memories of users."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import CancelWins, Fenced
from agentos_lambda.runs.memories import Memory, MemoryChange
from tests.stores.builders import NOW, ending, running, take_over

MANY = 60
"""More changes than a transaction has room for."""


def memory(memory_id="m1", text="likes tea", user_id="alice", **changes):
    made = {"created_at": NOW, "updated_at": NOW, "revision": f"{memory_id} {text}", **changes}
    return Memory(user_id, memory_id, text, **made)


def added(*memories):
    return tuple(MemoryChange(each.user_id, each.memory_id, None, each) for each in memories)


def changed(before, text):
    after = memory(before.memory_id, text, before.user_id)
    return MemoryChange(before.user_id, before.memory_id, before.revision, after)


def removed(*memories):
    return tuple(MemoryChange(each.user_id, each.memory_id, each.revision, None) for each in memories)


def remember(store, changes, run_id="run-1", status=RunStatus.COMPLETED):
    return store.commit(ending(store.accept(running(run_id)), status, memories=tuple(changes)))


def texts(store, user_id="alice"):
    return sorted(each.text for each in store.memories_of(user_id))


def test_memories_are_committed_with_the_run_and_read_as_they_were_written(store):
    every = memory(
        topics=("drinks", "ünïcode"),
        agent_id="writer",
        team_id="t",
        input="I like tea",
        feedback="good",
        updated_at=NOW + 1,
    )
    remember(store, added(every, memory("m2", "likes milk"), memory("m3", "another's", "bob")))

    assert {each.memory_id: each for each in store.memories_of("alice")} == {
        "m1": every,
        "m2": memory("m2", "likes milk"),
    }
    assert texts(store, "bob") == ["another's"]
    assert texts(store, "nobody") == []


def test_a_memory_is_changed_and_removed(store):
    one, two = memory(), memory("m2", "likes milk")
    remember(store, added(one, two))

    remember(store, [changed(one, "likes coffee"), *removed(two)], "run-2")

    assert texts(store) == ["likes coffee"]


@pytest.mark.parametrize("others", [0, MANY], ids=["few", "many"])
def test_a_memory_that_has_moved_keeps_its_newer_text_and_the_run_is_committed(store, caplog, others):
    old = memory()
    remember(store, added(old))
    remember(store, [changed(old, "newer")], "run-2")
    further = [memory(f"o{number}", f"other {number}") for number in range(others)]

    record = remember(store, [changed(old, "late"), *added(memory("m2", "kept"), *further)], "run-3")

    assert record.status is RunStatus.COMPLETED
    assert set(texts(store)) == {"newer", "kept", *(each.text for each in further)}
    if not others:
        (line,) = [each for each in caplog.records if "newer text" in each.message]
        assert (line.run_id, line.memory_id) == ("run-3", "m1")


def test_a_memory_that_was_removed_meanwhile_stays_removed(store):
    old = memory()
    remember(store, added(old))
    remember(store, removed(old), "run-2")

    remember(store, [changed(old, "late"), *removed(memory("never"))], "run-3")

    assert texts(store) == []


def test_two_runs_at_once_lose_none_of_each_others_memories(store):
    one, two = store.accept(running("run-1")), store.accept(running("run-2"))

    store.commit(ending(one, memories=added(memory("m1", "one"))))
    store.commit(ending(two, memories=added(memory("m2", "two"))))

    assert texts(store) == ["one", "two"]


def test_a_commit_that_is_repeated_counts_once(store):
    made = ending(store.accept(running()), memories=added(memory()))

    assert store.commit(made) == store.commit(made)

    assert texts(store) == ["likes tea"]


def test_a_run_that_was_taken_over_leaves_no_memory(store):
    record = store.accept(running())
    take_over(store)

    with pytest.raises(Fenced):
        store.commit(ending(record, memories=added(memory())))

    assert texts(store) == []


@pytest.mark.parametrize("number", [1, MANY])
def test_a_run_whose_cancel_was_acknowledged_leaves_no_memory(store, number):
    record = store.accept(running())
    store.flag_cancel(record, now=NOW)

    with pytest.raises(CancelWins):
        store.commit(ending(record, memories=added(*(memory(f"m{each}") for each in range(number)))))

    assert texts(store) == []


def test_more_changes_than_a_transaction_has_room_for_are_visible_all_at_once(store):
    old = [memory(f"old{number}", f"old {number}") for number in range(MANY)]
    remember(store, added(*old))
    assert len(texts(store)) == MANY

    new = [memory(f"new{number}", f"new {number}") for number in range(3)]
    remember(store, [*removed(*old), *added(*new)], "run-2")

    assert texts(store) == ["new 0", "new 1", "new 2"]


def test_what_others_added_while_a_run_removed_all_it_knew_stays(store):
    old = [memory(f"old{number}") for number in range(MANY)]
    remember(store, added(*old))
    run = store.accept(running("run-2"))
    remember(store, added(memory("m1", "meanwhile")), "run-3")

    store.commit(ending(run, memories=removed(*old)))

    assert texts(store) == ["meanwhile"]


def test_a_run_with_many_changes_waits_for_no_other(store):
    first = [memory(f"a{number}", "first") for number in range(MANY)]
    second = [memory(f"b{number}", "second") for number in range(MANY)]
    remember(store, added(*first))
    remember(store, added(*second), "run-2")
    remember(store, added(memory("m1", "third")), "run-3")

    assert texts(store) == ["first"] * MANY + ["second"] * MANY + ["third"]
