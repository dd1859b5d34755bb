"""All memories of a user said in one: nothing is lost and nothing doubled, whoever comes in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from agentos_lambda.memories.optimizing import MemoryOptimizer
from agentos_lambda.memories.ports import Summary
from agentos_lambda.runs.errors import Conflict, ModelFailed, NotFound, NotStorable, StoreUnavailable
from agentos_lambda.runs.memories import MAX_BYTES, MAX_CHANGES, Memory, MemoryChange
from tests.memories.joiner import Joiner
from tests.stores.dynamodb.faults import FaultyClient, answer_lost, refused
from tests.stores.dynamodb.test_request_counts import requests_of

FEW, MANY = 3, MAX_CHANGES + 10
"""In one transaction, and as a journal."""


def memory(number, text=None):
    return Memory("ada", f"m{number}", text or f"text{number:03d}", number, number, f"r{number}")


def write(directory, number, first=0):
    made = [memory(each) for each in range(first, first + number)]
    for start in range(0, number, MAX_CHANGES):
        some = made[start : start + MAX_CHANGES]
        assert directory.change_memories([MemoryChange("ada", each.memory_id, None, each) for each in some], now=1)
    return made


def change(directory, before, after):
    given = MemoryChange("ada", (before or after).memory_id, before and before.revision, after)
    assert directory.change_memories([given], now=2)


def optimize(directory, clock, joiner, *, apply=True, seconds=60.0, model=None):
    ids = map("id-{}".format, count())
    optimizer = MemoryOptimizer(directory, lambda: joiner, clock, new_id=lambda: f"{id(joiner)} {next(ids)}")
    return asyncio.run(optimizer.optimize("ada", model=model, apply=apply, seconds=seconds))


def texts(directory):
    return sorted(each.text for each in directory.memories_of("ada"))


@pytest.mark.parametrize("number", [1, FEW, MANY])
def test_a_summary_takes_the_place_of_all_memories(directory, clock, number):
    made = write(directory, number)
    joiner = Joiner()

    done = optimize(directory, clock, joiner, model="openai:gpt-5-mini")

    (left,) = directory.memories_of("ada")
    assert left == done.memory
    assert (left.text, left.topics, left.agent_id) == (" ".join(each.text for each in made), ("all",), "writer")
    assert (done.before, done.tokens_before, done.tokens_after) == (number, 10 * number, 7)
    assert (done.tokens_saved, done.reduction_percentage) == (10 * number - 7, (10 * number - 7) / (10 * number) * 100)
    assert directory.memory_count("ada") == 1
    assert (joiner.asked, joiner.model) == ([number], "openai:gpt-5-mini")


def test_a_summary_is_shown_and_not_stored(directory, clock):
    made = write(directory, FEW)

    done = optimize(directory, clock, Joiner(), apply=False)

    assert done.memory.text == "text000 text001 text002"
    assert texts(directory) == [each.text for each in made]


def test_a_summary_that_is_longer_saves_nothing(directory, clock):
    write(directory, 1)
    joiner = Joiner()
    joiner.summarize = lambda *_: asyncio.sleep(0, Summary("long", None, None, None, 3, 30))

    done = optimize(directory, clock, joiner)

    assert (done.tokens_saved, done.reduction_percentage, done.memory.topics) == (0, 0.0, None)


@pytest.mark.parametrize("number", [FEW, MANY])
def test_what_comes_meanwhile_is_not_lost(directory, clock, number):
    made = write(directory, number)
    joiner = Joiner(lambda: change(directory, None, memory(999, "comes meanwhile")))

    optimize(directory, clock, joiner)

    assert "comes meanwhile" in " ".join(texts(directory))
    assert all(" ".join(texts(directory)).count(each.text) == 1 for each in made)
    assert len(texts(directory)) == directory.memory_count("ada")


@pytest.mark.parametrize("number", [FEW, MANY])
@pytest.mark.parametrize("after", [memory(1, "changed"), None], ids=["changed", "removed"])
def test_what_is_changed_or_removed_meanwhile_is_summarised_as_it_is_then(directory, clock, number, after):
    made = write(directory, number)
    moved = after and replace(after, revision="newer")
    joiner = Joiner(lambda: change(directory, made[1], moved))

    optimize(directory, clock, joiner)

    (left,) = texts(directory)
    assert made[1].text not in left
    assert ("changed" in left) == (after is not None)
    assert len(joiner.asked) == 2


@pytest.mark.parametrize("number", [FEW, MANY])
def test_two_at_once_double_nothing(directory, clock, number):
    made = write(directory, number)
    joiner = Joiner(lambda: optimize(directory, clock, Joiner()))

    optimize(directory, clock, joiner)

    (left,) = texts(directory)
    assert left == " ".join(each.text for each in made)
    assert optimize(directory, clock, Joiner()).memory.text == left


def test_memories_that_always_change_are_left_alone(directory, clock):
    write(directory, FEW)
    joiner = Joiner()
    numbers = count(100)

    def change_one():
        (there, *_) = directory.memories_of("ada")
        change(directory, there, replace(there, revision=f"r{next(numbers)}"))

    joiner.meanwhile = [change_one] * 9

    with pytest.raises(Conflict):
        optimize(directory, clock, joiner)

    assert len(texts(directory)) == FEW


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ModelFailed("no answer"), ModelFailed),
        ("é" * MAX_BYTES, NotStorable),
    ],
)
def test_a_model_that_fails_changes_nothing(directory, clock, answer, error):
    made = write(directory, FEW)

    with pytest.raises(error):
        optimize(directory, clock, Joiner(answer=answer))

    assert texts(directory) == [each.text for each in made]


def test_a_model_that_takes_too_long_changes_nothing(directory, clock):
    made = write(directory, FEW)
    joiner = Joiner()
    joiner.summarize = lambda *_: asyncio.Event().wait()

    with pytest.raises(ModelFailed, match="too long"):
        optimize(directory, clock, joiner, seconds=0.01)

    assert texts(directory) == [each.text for each in made]


def test_a_user_without_memories_has_nothing_to_say_in_one(directory, clock):
    with pytest.raises(NotFound, match=r"^No memories found for user ada$"):
        optimize(directory, clock, Joiner())


@pytest.mark.parametrize("fault", [refused("InternalServerError", status=500), answer_lost], ids=["refused", "lost"])
@pytest.mark.parametrize("number", [FEW, MANY])
def test_a_death_loses_no_memory_and_a_second_try_doubles_none(moto_aws, clock, number, fault):
    store, client = moto_aws.store(), FaultyClient(moto_aws.dynamodb)
    made = write(store, number)
    client.plan(fault, "transact_write_items", times=9)

    with pytest.raises(StoreUnavailable):
        optimize(moto_aws.store(dynamodb=client, tries=1), clock, Joiner())

    everything = [each.text for each in made]
    assert texts(store) in (everything, [" ".join(everything)])
    optimize(store, clock, Joiner())
    assert texts(store) == [" ".join(everything)]


@pytest.mark.parametrize(
    ("number", "requests"),
    [
        (FEW, ["Query", "GetItem", "TransactWriteItems"]),
        (MANY, ["Query", "GetItem", "GetItem", "Query", "TransactWriteItems"]),
    ],
)
def test_a_summary_takes_so_many_requests(moto_aws, clock, number, requests):
    store = moto_aws.store()
    write(store, number)

    with requests_of(moto_aws.dynamodb) as sent:
        optimize(store, clock, Joiner())

    assert sent == requests
