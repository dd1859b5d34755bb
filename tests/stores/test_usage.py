"""What every store of usage guarantees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import Fenced
from agentos_lambda.runs.usage import NOBODY, Usage
from agentos_lambda.sessions.model import BuriedRun
from agentos_lambda.stores.dynamodb.usage import DynamoDBUsage
from agentos_lambda.stores.memory import MemoryStore
from tests.stores.accounts import Aws
from tests.stores.builders import LEASE_MS, NOW, ending, running

DAY = "2023-11-14"
NEXT_DAY = 86_400_000
USED = Usage(30, 20, 1_500)


@pytest.fixture
def stores(backing: Aws | None) -> tuple[Any, Any]:
    if backing is None:
        memory = MemoryStore()
        return memory, memory
    return backing.store(), DynamoDBUsage(backing.table("Runs"))


def used_on(stores, day=DAY, account=None):
    found = [(each.account, each.usage) for each in stores[1].used_on(day, account)]
    return sorted(found, key=lambda each: (each[0], each[1].input_tokens))


def end(stores, run_id, used=USED, status=RunStatus.COMPLETED, **fields):
    record = stores[0].accept(running(run_id, **fields))
    return stores[0].commit(replace(ending(record, status), used=used))


def test_a_run_is_counted_once_it_has_ended_for_its_account_or_its_user(stores):
    stores[0].accept(running("active"))
    end(stores, "one")
    end(stores, "two", user_id="bob", account="sa:ci-bot", session_id="s-2")
    end(stores, "three", user_id=None, session_id="s-3")
    for status in (RunStatus.ERROR, RunStatus.CANCELLED, RunStatus.PAUSED):
        end(stores, status, status=status, used=Usage(1))
    assert used_on(stores) == [
        (NOBODY, USED),
        *[("alice", Usage(1))] * 3,
        ("alice", USED),
        ("sa:ci-bot", USED),
    ]
    assert used_on(stores, account="sa:ci-bot") == [("sa:ci-bot", USED)]
    assert used_on(stores, account="bob") == []


def test_a_run_belongs_to_the_day_of_its_acceptance(stores):
    record = stores[0].accept(running("one", accepted_at=NOW))
    stores[0].commit(replace(ending(record, RunStatus.COMPLETED), ended_at=NOW + NEXT_DAY, used=USED))
    assert used_on(stores) == [("alice", USED)]
    assert used_on(stores, "2023-11-15") == []


def test_a_renewal_keeps_what_was_used_and_who_ends_the_run_finds_it(stores):
    store = stores[0]
    record = store.accept(running("one"))
    assert store.renew(replace(record, usage=USED), lease_until=NOW + LEASE_MS).usage == USED
    lost = store.claim("one", executor="sweep", lease_until=NOW + 9 * LEASE_MS, expired_before=NOW + 2 * LEASE_MS)
    assert lost.usage == USED
    with pytest.raises(Fenced):
        store.commit(replace(ending(record, RunStatus.COMPLETED), used=Usage(999)))
    store.commit(ending(lost, RunStatus.ERROR))
    assert used_on(stores) == [("alice", USED)]


def test_a_run_that_goes_on_is_counted_once_with_all_that_it_has_used(stores):
    store = stores[0]
    paused = end(stores, "one", status=RunStatus.PAUSED)
    again = store.reopen(paused, executor="second", now=NOW, lease_until=NOW + LEASE_MS)
    assert used_on(stores) == [("alice", USED)]
    store.commit(replace(ending(again, RunStatus.COMPLETED), used=USED.plus(USED)))
    assert used_on(stores) == [("alice", Usage(60, 40, 3_000))]


def test_what_was_used_outlives_the_record_and_a_run_id_that_is_used_again(stores):
    store = stores[0]
    for time, used in ((NOW, Usage(1)), (NOW + 5, Usage(2))):
        record = end(stores, "one", used, accepted_at=time)
        buried = BuriedRun("one", time)
        assert [store.remove_run(record.session_id, buried) for _ in range(2)] == [True, True]
        assert store.get("one") is None
    assert used_on(stores) == [("alice", Usage(1)), ("alice", Usage(2))]


def test_no_commit_twice_counts_twice(stores):
    record = stores[0].accept(running("one"))
    for _ in range(2):
        stores[0].commit(replace(ending(record, RunStatus.COMPLETED), used=USED))
    assert used_on(stores) == [("alice", USED)]
