"""What requests about memories, and runs that remember, take of DynamoDB, as docs/costs.md says."""

from __future__ import annotations

import pytest

from agentos_lambda.memories.listing import MemoryQuery
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.runs.memories import MemoryFilter
from tests.clocks import ManualClock
from tests.stores.builders import ending, running
from tests.stores.dynamodb.test_request_counts import requests_of
from tests.stores.test_memories import added, memory, remember

ASKED = {
    "a page of one user": (lambda asked: asked.list(MemoryQuery("alice")), ["GetItem", "GetItem", "Query"]),
    "a filtered page of one user": (
        lambda asked: asked.list(MemoryQuery("alice", MemoryFilter(search="a"))),
        ["GetItem", "Query"],
    ),
    "a page of all users": (lambda asked: asked.list(MemoryQuery()), ["Query"] * 8),
    "the users": (lambda asked: asked.owners(None), ["Query"] * 4),
    "topics of one user": (lambda asked: asked.topics("alice"), ["GetItem", "Query"]),
    "one of a user": (lambda asked: asked.get("m1", "alice"), ["GetItem"] * 2),
    "one by its id": (lambda asked: asked.get("m1", None), ["Query", "GetItem", "GetItem"]),
    "changing one": (
        lambda asked: asked.update("m1", "alice", "text", ()),
        ["GetItem", "GetItem", "GetItem", "TransactWriteItems"],
    ),
    "deleting one": (
        lambda asked: asked.delete(["m1"], "alice"),
        ["GetItem", "GetItem", "GetItem", "TransactWriteItems"],
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_a_request_takes_so_many(moto_aws, case):
    store = moto_aws.store()
    remember(store, added(memory(), memory("m2", user_id="bob")))
    ask, expected = ASKED[case]

    with requests_of(moto_aws.dynamodb) as sent:
        ask(MemoryService(store, ManualClock(), new_id=map("id-{}".format, range(9)).__next__))

    assert sent == expected


def test_a_run_that_remembers_takes_one_request_more(moto_aws):
    store = moto_aws.store()
    record = store.accept(running())

    with requests_of(moto_aws.dynamodb) as sent:
        assert store.memories_of("alice") == []
        store.commit(ending(record, memories=added(memory())))

    assert sent == ["Query", "TransactWriteItems"]
