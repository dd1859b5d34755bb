"""What requests about sessions cost in requests to AWS, and that a page costs the same however many there are."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.sessions.listing import page_of
from agentos_lambda.sessions.model import SessionFilter, SessionQuery, SortBy
from agentos_lambda.sessions.service import SessionService
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from agentos_lambda.stores.dynamodb.session_items import (
    counter_key,
    counter_shard,
    counters_of,
    head_key,
    index_keys,
)
from agentos_lambda.stores.memory import MemoryQueue
from tests.clocks import ManualClock
from tests.cloud import tables_of
from tests.stack.translation import source
from tests.stores.builders import NOW, ending, output, running
from tests.stores.dynamodb.incompressible import incompressible
from tests.stores.dynamodb.item_memory import ItemMemory, Spent
from tests.stores.dynamodb.test_request_counts import requests_of

PAGES = [
    SessionQuery(SessionFilter()),
    SessionQuery(SessionFilter(Kind.AGENT)),
    SessionQuery(SessionFilter(Kind.AGENT, "writer")),
    SessionQuery(SessionFilter(component_id="writer")),
    SessionQuery(SessionFilter(user_id="alice")),
    SessionQuery(SessionFilter(Kind.AGENT, user_id="alice"), ascending=True),
]


NEWEST = [query for query in PAGES if not query.ascending]


@dataclass
class Cost:
    """What left the client, and what came back."""

    requests: Counter[str] = field(default_factory=Counter)
    items: int = 0

    def note(self, parsed, model, **_context):
        self.requests[model.name] += 1
        if "Responses" in parsed:
            self.items += sum(len(items) for items in parsed["Responses"].values())
        self.items += len(parsed.get("Items", ()))


@contextmanager
def cost_of(client):
    cost = Cost()
    client.meta.events.register("after-call.dynamodb.*", cost.note)
    try:
        yield cost
    finally:
        client.meta.events.unregister("after-call.dynamodb.*", cost.note)


def test_what_is_somebody_elses_takes_the_requests_of_what_is_not_there(moto_aws):
    """However large it is: runs in several pages, and values in S3."""
    store, clock, large = moto_aws.store(), ManualClock(NOW), incompressible(40_000)
    service = SessionService(store, MemoryQueue(), clock, new_id=str)
    store.create(replace(session(0), fields={"state:large": large}))
    for place in range(3):
        record = store.accept(running(f"run-{place}", session_id="session-00000", accepted_at=NOW + place))
        store.commit(ending(record, output=output(large)))
    bob, seen = Caller("bob", isolated=True), []
    for session_id in ("session-00000", "missing"):
        with requests_of(moto_aws.dynamodb) as sent, requests_of(moto_aws.s3) as objects:
            for ask in (service.get, partial(service.change, changes=lambda _: SessionDelta({}))):
                with pytest.raises(NotFound):
                    ask(session_id, caller=bob)
            service.delete(session_id, caller=bob)
        seen.append((sent, objects))
    assert seen[0] == seen[1] == (["GetItem"] * 3, [])
    assert len(service.get("session-00000", caller=Caller("alice", isolated=True)).runs) == 3


def test_what_can_be_no_session_is_not_asked_for(moto_aws):
    """DynamoDB refuses an empty key, and one of over 2,048 bytes."""
    service = SessionService(moto_aws.store(), MemoryQueue(), ManualClock(NOW), new_id=str)
    with requests_of(moto_aws.dynamodb) as sent:
        for session_id in ("", "x" * 2_049, "\ud800"):
            with pytest.raises(NotFound):
                service.get(session_id)
            service.delete(session_id)
    assert sent == []


def session(place):
    session_id = f"session-{place:05d}"
    return Session(session_id, Kind.AGENT, "writer", "alice", NOW + place, NOW + place, name=f"Talk {place}")


def items(places):
    """Sessions as ``create`` writes them, and how many each item of a counter counts."""
    counted: Counter[tuple[str, int]] = Counter()
    heads = []
    for place in places:
        made = session(place)
        texts = {"kind": made.kind, "component": "writer", "user_id": "alice", "name": made.name}
        numbers = {"created_at": made.created_at, "updated_at": made.updated_at}
        heads.append(
            {
                **head_key(made.session_id),
                **index_keys(made.session_id, made.kind, "writer", "alice"),
                **{name: {"S": value} for name, value in texts.items()},
                **{name: {"N": str(value)} for name, value in numbers.items()},
            }
        )
        counted.update(
            (counter, counter_shard(made.session_id)) for counter in counters_of(made.kind, "writer", "alice")
        )
    return heads, counted


def write(aws, places):
    """The same without transactions: moto copies all it has for each of those."""
    heads, counted = items(places)
    for first in range(0, len(heads), 25):
        puts = [{"PutRequest": {"Item": item}} for item in heads[first : first + 25]]
        aws.dynamodb.batch_write_item(RequestItems={aws.tables.sessions: puts})
    for (counter, shard), number in counted.items():
        aws.dynamodb.update_item(
            TableName=aws.tables.sessions,
            Key=counter_key(counter, shard),
            UpdateExpression="ADD #count :number",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":number": {"N": str(number)}},
        )


def test_a_first_page_costs_the_same_at_five_times_as_many_sessions(ministack_aws):
    store, costs = ministack_aws.store(), []
    for places in (range(160), range(160, 800)):
        write(ministack_aws, places)
        for query in PAGES:
            with cost_of(ministack_aws.dynamodb) as cost:
                page = page_of(store, query)
            assert (len(page.sessions), page.total) == (20, places.stop)
            costs.append(cost)
    assert costs[: len(PAGES)] == costs[len(PAGES) :]
    assert all("Scan" not in cost.requests for cost in costs)


def in_memory(heads, counted):
    """A table of these, and the store that reads it."""
    listed = source()["Resources"]["SessionsTable"]["Properties"]["GlobalSecondaryIndexes"][0]["Projection"]
    counters = [
        {**counter_key(counter, shard), "version": {"N": "1"}, "count": {"N": f"{number:05d}"}}
        for (counter, shard), number in counted.items()
    ]
    memory = ItemMemory([*heads, *counters], projected=listed["NonKeyAttributes"])
    return memory, DynamoDBStore(tables_of("1"), clients=Clients(dynamodb=memory))


def test_a_first_page_costs_the_same_at_a_hundred_times_as_many_sessions():
    """Requests, read units and bytes, and no scan: the memory knows none."""
    spent = []
    for sessions in (100, 10_000):
        # Those of 100 are the newest of 10,000, so that both pages show the same.
        memory, store = in_memory(*items(range(10_000 - sessions, 10_000)))
        for query in NEWEST:
            memory.spent = Spent()
            page = page_of(store, query)
            assert ([each.name for each in page.sessions][:2], page.total) == (["Talk 9999", "Talk 9998"], sessions)
            spent.append((memory.spent, page.sessions))
    assert spent[: len(NEWEST)] == spent[len(NEWEST) :]
    assert all(dict(cost.requests).keys() == {"Query", "BatchGetItem"} for cost, _ in spent)


@pytest.mark.parametrize("chosen", [SessionFilter(), SessionFilter(user_id="alice")])
def test_pages_of_sessions_of_one_time_neither_share_nor_skip_one(chosen):
    """DynamoDB has those in an order of its own."""
    heads, counted = items((3, 1, 4, 0, 2))
    _, store = in_memory([{**head, "created_at": {"N": str(NOW)}} for head in heads], counted)
    pages = [page_of(store, SessionQuery(chosen, limit=1, page=page)) for page in range(1, 6)]
    assert sorted(each.name for page in pages for each in page.sessions) == [f"Talk {place}" for place in range(5)]


def test_sessions_written_for_these_tests_are_like_created_ones(ministack_aws):
    store = ministack_aws.store()
    write(ministack_aws, [0])
    written = store.find("session-00000")
    store.bury("session-00000", written, now=NOW)
    store.create(session(1))
    assert store.find("session-00001") == session(1)
    assert written == session(0)
    assert store.count(SessionFilter(user_id="alice")) == 1


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        (PAGES[0], {"BatchGetItem": 2, "Query": 12}),
        (PAGES[1], {"BatchGetItem": 2, "Query": 4}),
        (PAGES[2], {"BatchGetItem": 2, "Query": 4}),
        (PAGES[4], {"BatchGetItem": 2, "Query": 3}),
        (replace(PAGES[0], name="talk"), {"BatchGetItem": 1, "Query": 12}),
        (replace(PAGES[0], sort_by=SortBy.UPDATED_AT), {"BatchGetItem": 1, "Query": 12}),
        (replace(PAGES[0], page=9), {"BatchGetItem": 1}),
    ],
)
def test_a_page_costs_a_few_requests(ministack_aws, query, requests):
    store = ministack_aws.store()
    for place in range(30):
        store.create(session(place))
    with cost_of(ministack_aws.dynamodb) as cost:
        page_of(store, query)
    assert dict(cost.requests) == requests


def test_creating_changing_and_deleting_cost_one_write_each(ministack_aws):
    store = ministack_aws.store()
    with requests_of(ministack_aws.dynamodb) as sent, requests_of(ministack_aws.s3) as objects:
        store.create(session(0))
        read = store.find("session-00000")
        store.change(read, SessionDelta({"metadata": {}}), name="New", now=NOW + 9)
        store.bury("session-00000", read, now=NOW + 10)
    assert sent == ["TransactWriteItems", "GetItem", "UpdateItem", "TransactWriteItems"]
    assert objects == []


def test_a_session_is_read_whole_in_one_request(ministack_aws):
    store = ministack_aws.store()
    for place in range(20):
        store.commit(ending(store.accept(running(f"run-{place}", accepted_at=NOW + place))))
    with requests_of(ministack_aws.dynamodb) as sent:
        assert len(store.whole("session-1").runs) == 20
    assert sent == ["Query"]


def test_large_fields_of_a_session_lie_under_its_own_prefix_and_go_with_it(ministack_aws):
    store = ministack_aws.store()
    large = incompressible(30_000)
    store.create(replace(session(0), fields={"state:large": large}))
    store.commit(ending(store.accept(running(session_id="session-00000")), session=SessionDelta({"state:more": large})))
    keys = [found["Key"] for found in ministack_aws.s3.list_objects_v2(Bucket=ministack_aws.tables.bucket)["Contents"]]
    assert keys
    assert all(key.startswith("sessions/session-00000/") for key in keys)
    assert store.find("session-00000").fields["state:more"] == large
    store.remove_values("session-00000", until=NOW - 1, media=True)
    assert store.find("session-00000").fields["state:more"] == large
    store.remove_values("session-00000", until=NOW, media=True)
    assert "Contents" not in ministack_aws.s3.list_objects_v2(Bucket=ministack_aws.tables.bucket)


@pytest.mark.parametrize("places", [range(30), range(300)])
def test_looking_up_sessions_costs_the_same_however_many_there_are(ministack_aws, places):
    store = ministack_aws.store()
    write(ministack_aws, places)
    newest = f"session-{places[-1]:05d}"
    for number in range(9):
        store.commit(ending(store.accept(running(f"run-{number}", session_id=newest, accepted_at=NOW + number))))

    with cost_of(ministack_aws.dynamodb) as cost:
        found = store.past_sessions(Kind.AGENT, "alice", limit=20, runs=3)
    assert (len(found), len(found[0].runs)) == (20, 3)
    # Entries of the index, the sessions, and the first items of each: three runs of one, and the others themselves.
    assert (dict(cost.requests), cost.items) == ({"Query": 21, "BatchGetItem": 1}, 20 + 20 + 3 + 19)

    with cost_of(ministack_aws.dynamodb) as cost:
        store.past_sessions(Kind.AGENT, None, limit=20, runs=3)
    assert dict(cost.requests) == {"Query": 4}

    with cost_of(ministack_aws.dynamodb) as cost:
        store.past_session(newest, "alice", runs=100)
    assert dict(cost.requests) == {"GetItem": 1, "Query": 1}
