"""What every store of counters guarantees. Their rules are those of ``runs.limits.decide``."""

from __future__ import annotations

from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentos_lambda.runs.limits import MAX_RECEIPTS, PLACE_MS, Admission, Counters, Limits, Verdict
from agentos_lambda.stores.dynamodb.counters import DynamoDBCounters
from agentos_lambda.stores.memory import MemoryCounters
from tests.stores.accounts import Aws
from tests.stores.builders import NOW
from tests.stores.dynamodb.faults import FaultyClient, answer_lost
from tests.stores.dynamodb.test_request_counts import requests_of

ID = "ada#0"
LIMITS = Limits(runs_per_month=5, runs_at_once=2)
NEXT_MONTH = NOW + 31 * 86_400_000


@pytest.fixture
def counters(backing: Aws | None) -> Counters:
    if backing is None:
        return MemoryCounters()
    return DynamoDBCounters(backing.table("Limits"))


def admit(counters, token, *, now=NOW, limits=LIMITS, counts=True):
    return counters.admit(ID, Admission(token, limits, now, counts))


def withdraw(counters, token, *, now=NOW, limits=LIMITS):
    counters.withdraw(ID, Admission(token, limits, now))


def test_a_run_has_a_place_until_it_is_freed(counters):
    verdicts = [admit(counters, run_id) for run_id in ("a", "b", "c", "a")]
    assert verdicts == [Verdict.ADMITTED, Verdict.ADMITTED, Verdict.RUNS_AT_ONCE, Verdict.ALREADY]
    for _ in range(2):
        counters.free(ID, "a")
    assert admit(counters, "c") is Verdict.ADMITTED


def test_a_place_expires_unless_it_is_kept(counters):
    for run_id in ("a", "b"):
        admit(counters, run_id)
    counters.keep(ID, "b", until=NOW + 2 * PLACE_MS)
    verdicts = [admit(counters, run_id, now=NOW + PLACE_MS) for run_id in ("c", "d")]
    assert verdicts == [Verdict.ADMITTED, Verdict.RUNS_AT_ONCE]


def test_a_month_has_as_many_runs_as_it_may_and_the_next_one_as_many_again(counters):
    for run_id in "abcde":
        assert admit(counters, run_id) is Verdict.ADMITTED
        counters.free(ID, run_id)
    assert admit(counters, "f") is Verdict.RUNS_PER_MONTH
    assert admit(counters, "f", counts=False) is Verdict.ADMITTED
    counters.free(ID, "f")
    assert [admit(counters, token, now=NEXT_MONTH) for token in "ghij"].count(Verdict.ADMITTED) == 2


def test_a_clock_that_is_behind_at_the_turn_of_a_month_forgets_no_run(counters):
    limits = Limits(runs_per_month=5)
    times = [NOW, *(NEXT_MONTH, NOW) * 4]
    verdicts = [admit(counters, f"t{number}", now=now, limits=limits) for number, now in enumerate(times)]
    assert verdicts == [Verdict.ADMITTED] * 6 + [Verdict.RUNS_PER_MONTH] * 3


def test_a_run_that_is_withdrawn_after_its_month_gives_its_place_back(counters):
    admit(counters, "a", now=NEXT_MONTH - 1)
    admit(counters, "b", now=NEXT_MONTH)
    withdraw(counters, "a", now=NEXT_MONTH - 1)
    verdicts = [admit(counters, token, now=NEXT_MONTH) for token in "cdefg"]
    assert verdicts == [Verdict.ADMITTED] + [Verdict.RUNS_AT_ONCE] * 4


@pytest.mark.parametrize("limits", [Limits(5, 2), Limits(runs_per_month=5)])
def test_a_run_that_is_withdrawn_counts_in_no_way_however_often_it_is(counters, limits):
    for token in "abcdefgh":
        assert admit(counters, token, limits=limits) is Verdict.ADMITTED
        for _ in range(2):
            withdraw(counters, token, limits=limits)
    for token in "abcde":
        assert [admit(counters, token, limits=limits) for _ in range(2)] == [Verdict.ADMITTED, Verdict.ALREADY]
        counters.free(ID, token)
    withdraw(counters, "z", limits=limits)
    assert admit(counters, "f", limits=limits) is Verdict.RUNS_PER_MONTH


def test_a_limit_of_the_month_alone_keeps_no_places(counters):
    verdicts = [admit(counters, run_id, limits=Limits(runs_per_month=2)) for run_id in "abc"]
    assert verdicts == [Verdict.ADMITTED, Verdict.ADMITTED, Verdict.RUNS_PER_MONTH]
    assert admit(counters, "d", limits=Limits(runs_at_once=1)) is Verdict.ADMITTED


def test_a_counter_that_is_not_there_is_kept_and_freed_in_vain(counters):
    counters.free("nobody#0", "a")
    counters.withdraw("nobody#0", Admission("a", LIMITS, NOW))
    assert admit(counters, "a") is Verdict.ADMITTED


def test_receipts_are_few_and_the_newest_of_them(counters):
    limits = Limits(runs_per_month=100)
    tokens = [f"run-{number}" for number in range(2 * MAX_RECEIPTS)]
    assert [admit(counters, token, now=NOW + at, limits=limits) for at, token in enumerate(tokens)] == [
        Verdict.ADMITTED
    ] * len(tokens)
    assert admit(counters, tokens[-1], limits=limits) is Verdict.ALREADY
    assert admit(counters, tokens[0], limits=limits) is Verdict.ADMITTED


@pytest.mark.parametrize("limits", [Limits(9, 9), Limits(runs_per_month=9)])
def test_each_write_counts_once_though_its_answer_is_lost(aws, limits):
    client = FaultyClient(aws.dynamodb)
    counters = DynamoDBCounters(aws.table("Limits", dynamodb=client))

    def counted() -> tuple[int, int]:
        item = aws.dynamodb.get_item(TableName="Limits", Key={"counter": {"S": ID}})["Item"]
        return int(item["runs"]["N"]), len(item["places"]["M"] or item["receipts"]["M"])

    seen = []
    for change in (admit, admit, withdraw):
        for token in ("a", "b"):
            client.plan(answer_lost, "put_item", "update_item")
            change(counters, token, limits=limits)
            seen.append(counted())
    assert seen == [(1, 1), (2, 2), (2, 2), (2, 2), (1, 1), (0, 0)]


def test_an_admission_is_one_request_but_for_the_first_of_a_month(moto_aws):
    counters = DynamoDBCounters(moto_aws.table("Limits"))
    with requests_of(moto_aws.dynamodb) as first:
        admit(counters, "a")
    with requests_of(moto_aws.dynamodb) as later:
        admit(counters, "b")
        admit(counters, "c", limits=Limits(runs_per_month=5))
    with requests_of(moto_aws.dynamodb) as ended:
        counters.keep(ID, "a", until=NOW + PLACE_MS)
        counters.free(ID, "a")
    assert (first, later, ended) == (["UpdateItem", "PutItem"], ["UpdateItem"] * 2, ["UpdateItem"] * 2)


def test_of_fifty_at_the_same_time_none_too_many_is_admitted(ministack_aws):
    counters = DynamoDBCounters(ministack_aws.table("Limits"))
    limits = Limits(runs_per_month=9, runs_at_once=7)
    with ThreadPoolExecutor(50) as pool:
        verdicts = Tally(pool.map(lambda number: admit(counters, f"run-{number}", limits=limits), range(50)))
    assert verdicts == {Verdict.ADMITTED: 7, Verdict.RUNS_AT_ONCE: 43}
