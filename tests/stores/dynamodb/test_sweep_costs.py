"""What a sweep costs depends on what is due, and not on how many runs there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

import pytest

from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.sweeper import THREADS, Sweeper, Swept
from agentos_lambda.stores.dynamodb.items import DUE_SHARDS, record_item
from agentos_lambda.stores.memory import MemoryQueue
from tests.clocks import ManualClock
from tests.runs.world import OneOfEach
from tests.stores.builders import LEASE_MS, NOW, pending, running

WRITERS = 2
BATCH = 25


@dataclass
class Metered:
    """What was asked of DynamoDB: requests by operation, units, and items that its queries looked at."""

    requests: Counter[str] = field(default_factory=Counter)
    units: float = 0
    items: int = 0

    def note(self, parsed: dict[str, Any], model: Any, **_context: Any) -> None:
        self.requests[model.name] += 1
        consumed = parsed.get("ConsumedCapacity", [])
        self.units += sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        self.items += parsed.get("ScannedCount", 0)


@contextmanager
def metered(client: Any) -> Iterator[Metered]:
    def ask(params: dict[str, Any], **_context: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    meter = Metered()
    client.meta.events.register_first("provide-client-params.dynamodb", ask)
    client.meta.events.register("after-call.dynamodb", meter.note)
    try:
        yield meter
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb", ask)
        client.meta.events.unregister("after-call.dynamodb", meter.note)


def write(aws, records: list[RunRecord]) -> None:
    def put(some: list[RunRecord]) -> None:
        puts = [{"PutRequest": {"Item": record_item(record)}} for record in some]
        assert aws.dynamodb.batch_write_item(RequestItems={aws.tables.runs: puts})["UnprocessedItems"] == {}

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(put, [records[first : first + BATCH] for first in range(0, len(records), BATCH)]))


def due_now(name: str, how_many: int) -> list[RunRecord]:
    """Half of them runs whose executor has died, half runs whose first send was not acknowledged."""
    ids = [f"{name}-due-{place:03d}" for place in range(how_many // 2)]
    dead = [running(f"{each}-dead", session_id=each, lease_until=NOW - 60_000) for each in ids]
    long_ago = NOW - 120_000
    waiting = {"accepted_at": long_ago, "queued_at": long_ago, "sends": 1, "next_send_at": long_ago + 60_000}
    return dead + [pending(f"{each}-wait", **waiting) for each in ids]


def healthy(name: str, how_many: int) -> list[RunRecord]:
    """Runs that are executed, with leases that were renewed up to ten seconds ago."""
    return [
        running(f"{name}-{place}", lease_until=NOW + LEASE_MS - place * 10_000 // how_many) for place in range(how_many)
    ]


def sweeper_of(store) -> Sweeper:
    numbers = count()
    return Sweeper(store, MemoryQueue(), OneOfEach(), ManualClock(NOW), new_id=lambda: f"id-{next(numbers):06d}")


@pytest.mark.parametrize(
    ("active", "due"), [((100, 1_000), 20), pytest.param((1_000, 10_000), 100, marks=pytest.mark.sample)]
)
def test_a_sweep_costs_the_same_however_many_runs_there_are_if_as_many_are_due(ministack_aws, active, due):
    sweeper, meters = sweeper_of(ministack_aws.store()), []
    for name, runs in zip("ab", active, strict=True):
        write(ministack_aws, healthy(name, runs - due) + due_now(name, due))
        with metered(ministack_aws.dynamodb) as meter:
            assert sweeper.sweep() == Swept(lost=due // 2, sent_again=due // 2)
        meters.append(meter)
    assert meters[0] == meters[1]
    assert meters[0].items == due
    assert meters[0].requests == {
        "Query": DUE_SHARDS + due // 2,  # a dead attempt is sealed at the end of its log
        "GetItem": due,
        "UpdateItem": 2 * due,
        "TransactWriteItems": due // 2,
    }


def test_a_sweep_of_runs_of_which_none_is_due_asks_each_shard_once(ministack_aws):
    write(ministack_aws, healthy("a", 100))
    with metered(ministack_aws.dynamodb) as meter:
        assert sweeper_of(ministack_aws.store()).sweep() == Swept()
    assert meter == Metered(Counter(Query=DUE_SHARDS), units=DUE_SHARDS / 2)


def test_parts_of_what_is_due_are_swept_in_parallel(ministack_aws):
    store, lock, together = ministack_aws.store(), Lock(), []
    due, now = store.due, 0

    def watched(part):
        nonlocal now
        with lock:
            now += 1
            together.append(now)
        yield from part
        with lock:
            now -= 1

    store.due = lambda before: [watched(part) for part in due(before=before)]
    write(ministack_aws, due_now("a", 20))
    assert sweeper_of(store).sweep() == Swept(lost=10, sent_again=10)
    assert len(together) == DUE_SHARDS
    assert 1 < max(together) <= THREADS


def test_a_part_that_cannot_be_read_holds_up_no_other(ministack_aws):
    store = ministack_aws.store()
    due = store.due

    def unreadable():
        raise StoreUnavailable("down")
        yield

    store.due = lambda before: [unreadable(), *due(before=before)]
    write(ministack_aws, due_now("a", 20))
    with pytest.raises(StoreUnavailable):
        sweeper_of(store).sweep()
    assert sweeper_of(ministack_aws.store()).sweep() == Swept()
