"""docs/costs.md adds up, fits the template, and is what the README repeats. tests/e2e/test_costs.py counts the rest."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from tests.stack.costs import (
    Row,
    idle,
    listed_prices,
    number,
    per_run,
    price_table,
    priced_rows,
    prices,
    together,
)
from tests.stack.idle_month import Taken, idle_month
from tests.stack.translation import ROOT, translate

Stack = dict[str, dict[str, Any]]

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0b2d6f9e"


def test_the_idle_month_of_a_first_deployment_costs_less_than_a_dollar(stack: Stack) -> None:
    assert cost(idle_month(stack)) < 1


def test_the_document_has_the_idle_month_that_follows_from_the_template(stack: Stack) -> None:
    expected = idle_month(stack)
    assert [row.of for row in idle()] == [taken.of for taken in expected]
    for row, taken in zip(idle(), expected, strict=True):
        assert row.how_much == pytest.approx(taken.how_much, abs=0.5 if taken.how_much > 1 else 0), row.what
    assert together() == pytest.approx(cost(expected), abs=0.005)


@pytest.mark.parametrize(
    ("parameter", "value", "of", "how_much"),
    [("AlarmEmail", "ops@example.com", "metrics that alarms watch", 6), ("DataKeyArn", KEY, "KMS requests", 17_280)],
)
def test_what_costs_more_in_an_idle_month_is_asked_for(
    stack: Stack, parameter: str, value: str, of: str, how_much: float
) -> None:
    more = Counter(dict(by_price(translate(**{parameter: value}))))
    more.subtract(by_price(stack))
    assert {each: taken for each, taken in more.items() if taken} == {of: how_much}


def test_a_queue_that_is_polled_and_a_sweeper_that_is_traced_would_cost_more(stack: Stack) -> None:
    polled = stack | {"Another": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {}}}
    assert cost(idle_month(polled)) > cost(idle_month(stack)) + 0.25
    traced = deepcopy(stack)
    traced["SweeperFunction"]["Properties"]["TracingConfig"]["Mode"] = "Active"
    assert cost(idle_month(traced)) > cost(idle_month(stack)) + 0.2


def cost(month: list[Taken]) -> float:
    return sum(taken.how_much * prices()[taken.of] for taken in month)


def by_price(stack: Stack) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for taken in idle_month(stack):
        totals[taken.of] += taken.how_much  # type: ignore[assignment]
    return dict(totals)


@pytest.mark.parametrize("row", priced_rows(), ids=lambda row: row.what[:40])
def test_a_row_costs_what_its_number_does(row: Row) -> None:
    assert row.dollars == pytest.approx(row.how_much * prices()[row.of], abs=row.rounding)


def test_the_document_lists_the_prices_of_the_one_file_that_has_them() -> None:
    rows = [
        (what.partition(",")[0], number(dollars), number(units), read)
        for what, dollars, units, _, read in price_table()
    ]
    assert rows == [
        (entry["what"], entry["dollars"], entry["for"], str(entry.get("read", "not read"))) for entry in listed_prices()
    ]


def test_a_price_says_when_it_was_read_or_why_it_was_not() -> None:
    for entry in listed_prices():
        assert entry["page"].startswith("https://aws.amazon.com/")
        assert ("read" in entry) != ("unread" in entry), entry["what"]


@pytest.mark.parametrize("way", ["whole", "streamed", "background", "WebSocket"])
def test_a_thousand_runs_cost_what_their_numbers_do(way: str) -> None:
    *taken, (_, dollars) = per_run()[way].items()
    assert dollars == pytest.approx(1000 * sum(how_many * prices()[of] for of, how_many in taken), abs=0.0005)


def test_the_dashboard_is_one_of_an_account_s_first_three_and_costs_nothing(stack: Stack) -> None:
    assert len([each for each in stack.values() if each["Type"] == "AWS::CloudWatch::Dashboard"]) == 1
    drawn = {json.dumps(metric[:4]) for metric in widgets(stack)}
    assert len(drawn) <= 50, "more than the free tier has"


def widgets(stack: Stack) -> list[list[Any]]:
    body = json.loads(stack["Dashboard"]["Properties"]["DashboardBody"])
    return [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]


def test_the_readme_says_the_same() -> None:
    section = (ROOT / "README.md").read_text().partition("## What it costs\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
    *items, said, alarms = [number(row[1]) for row in rows[:6]]
    assert said == together() == pytest.approx(sum(items))
    assert alarms == pytest.approx(6 * prices()["metrics that alarms watch"])
    ways = ("whole", "streamed", "background", "WebSocket")
    assert [number(row[1]) for row in rows[6:]] == pytest.approx([per_run()[way]["$"] for way in ways], abs=0.0051)
