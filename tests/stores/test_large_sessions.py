"""Sessions with more fields than an item or an update of DynamoDB has room for."""

from __future__ import annotations

import base64
import random

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.stores.memory import MemoryStore
from tests.stores.builders import NOW, delta, ending, load, running


class Writer:
    """Commits runs with changes to one session, as an executor does: with the session as it was read."""

    def __init__(self, store):
        self.store = store
        self.runs = 0

    def begin(self, *, is_read=True):
        self.runs += 1
        record = self.store.accept(running(f"run-{self.runs}", accepted_at=NOW + self.runs))
        return record, load(self.store, history=0) if is_read else None

    def end(self, begun, **changes):
        record, read = begun
        self.store.commit(ending(record, session=delta(**changes), read=read))

    def run(self, *, is_read=True, **changes):
        self.end(self.begin(is_read=is_read), **changes)

    @property
    def fields(self):
        return {name.removeprefix("state:"): value for name, value in load(self.store, history=0).fields.items()}


@pytest.fixture(params=["memory", "ministack"])
def writer(request, clock):
    """Not in moto: it is slow, and its rules are those of the local cloud."""
    if request.param == "memory":
        return Writer(MemoryStore(clock=clock))
    return Writer(request.getfixturevalue("ministack_aws").store(clock))


def noise(seed, length):
    """A text that cannot be compressed by much."""
    return base64.b64encode(random.Random(seed).randbytes(length * 3 // 4)).decode()  # noqa: S311 - no secret


def keys(count, value=0, first=0):
    return {f"key {place}": [value, place] for place in range(first, first + count)}


def test_a_run_may_set_five_thousand_keys(writer):
    writer.run(before=1)
    writer.run(**keys(5000))
    assert writer.fields == {"before": 1, **keys(5000)}


def test_the_first_run_of_a_session_may_set_ten_megabytes(writer):
    large = {f"key {place}": noise(place, 100_000) for place in range(100)}
    writer.run(**large)
    assert writer.fields == large


@pytest.mark.parametrize("is_read", [True, False])
def test_keys_that_come_a_few_at_a_time_are_all_kept(writer, is_read):
    expected = {}
    for place in range(6):
        added = {name: noise(place, 300) for name in keys(90, first=70 * place)}  # some of them once more
        writer.run(is_read=is_read, **added)
        expected |= added
    assert writer.fields == expected


@pytest.mark.parametrize("many", [0, 400])
@pytest.mark.parametrize("order", [1, -1])
def test_two_runs_at_once_that_write_different_keys_lose_nothing_of_each_other(writer, many, order):
    writer.run(shared=0, removed=0, **keys(400))
    one, other = begun = [writer.begin(), writer.begin()]
    changes = {
        id(one): {"one": 1, "shared": 1, "remove": ["removed", "key 3"], **keys(many, 1, first=5000)},
        id(other): {"other": 2, "key 7": "changed", **keys(many, 2, first=8000)},
    }
    for each in begun[::order]:
        writer.end(each, **changes[id(each)])
    expected = {
        **keys(400),
        "one": 1,
        "other": 2,
        "shared": 1,
        "key 7": "changed",
        **keys(many, 1, first=5000),
        **keys(many, 2, first=8000),
    }
    del expected["key 3"]
    assert writer.fields == expected


def test_of_two_runs_at_once_that_write_the_same_key_the_later_one_wins(writer):
    writer.run(**keys(400))
    one, other, many = writer.begin(), writer.begin(), writer.begin()
    writer.end(one, **{"key 1": "one"})
    writer.end(other, **{"key 1": "other"})
    writer.end(many, **{"key 2": "many", **keys(400, 1, first=2000)})
    assert (writer.fields["key 1"], writer.fields["key 2"]) == ("other", "many")


def test_a_key_is_removed_set_and_removed_again(writer):
    writer.run(**keys(400))
    writer.run(remove=["key 5"])
    assert writer.fields == {name: value for name, value in keys(400).items() if name != "key 5"}
    writer.run(**{"key 5": "again"})
    assert writer.fields["key 5"] == "again"
    writer.run(remove=["key 5"], **keys(500, 1, first=3000))
    assert "key 5" not in writer.fields
    assert len(writer.fields) == 899


def test_a_key_that_a_run_removes_while_another_moves_it_is_gone(writer):
    writer.run(**keys(10))
    removing, moving = writer.begin(), writer.begin()
    writer.end(moving, **keys(300, 1, first=100))
    writer.end(removing, remove=["key 5"])
    assert "key 5" not in writer.fields
    assert len(writer.fields) == 309


def test_a_run_that_removes_most_keys_leaves_the_others(writer):
    writer.run(**keys(400))
    writer.run(remove=[f"key {place}" for place in range(390)])
    assert writer.fields == keys(10, first=390)


@pytest.mark.parametrize("name", ["", "x" * 5000, "part:01", "a.b[0]#c:d", "ü\U0001f600"])
def test_a_key_may_have_any_name_in_a_large_session_too(writer, name):
    writer.run(**{name: 1}, **keys(300))
    writer.run(**{name: 2})
    assert writer.fields[name] == 2
    writer.run(remove=[name])
    assert writer.fields == keys(300)


def test_other_fields_of_a_large_session_are_kept_apart(writer):
    writer.run(**keys(300))
    record, read = writer.begin()
    fields = {"metadata": {"plan": "free"}, "data:metrics": {"runs": 2}}
    writer.store.commit(ending(record, session=SessionDelta(fields), read=read))
    found = load(writer.store, history=0).fields
    assert {name: value for name, value in found.items() if not name.startswith("state:")} == fields


def test_a_commit_that_is_repeated_counts_once_in_a_large_session(writer):
    writer.run(**keys(300))
    record, read = writer.begin()
    made = ending(record, session=delta(**keys(300, 1, first=900)), read=read)
    first = writer.store.commit(made)
    writer.run(**{"key 900": "since"})
    assert writer.store.commit(made) == first
    assert writer.fields["key 900"] == "since"


def test_a_run_that_ends_in_another_way_touches_no_key(writer):
    writer.run(**keys(300))
    record, read = writer.begin()
    writer.store.commit(ending(record, RunStatus.CANCELLED, read=read))
    assert writer.fields == keys(300)


def test_a_session_may_be_loaded_without_its_fields_and_runs(writer):
    writer.run(**keys(300))
    session = load(writer.store, history=None)
    assert (session.user_id, session.fields, session.runs) == ("alice", {}, ())
