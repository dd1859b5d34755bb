"""docs/costs.md adds up, fits the template, and is what the README repeats. tests/e2e/test_costs.py counts the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stack.costs import idle, number, per_run, prices, together
from tests.stack.translation import ROOT

Stack = dict[str, dict[str, Any]]


def test_each_row_of_the_idle_month_is_what_its_number_costs() -> None:
    for what, how_many, of, dollars in idle():
        assert dollars == pytest.approx(how_many * prices()[of], abs=0.005), what


def test_the_idle_month_adds_up() -> None:
    exact = sum(how_many * prices()[of] for _, how_many, of, _ in idle())
    assert together() == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("way", ["whole", "streamed", "background", "WebSocket"])
def test_a_thousand_runs_cost_what_their_numbers_do(way: str) -> None:
    *taken, (_, dollars) = per_run()[way].items()
    assert dollars == pytest.approx(1000 * sum(how_many * prices()[of] for of, how_many in taken), abs=0.0005)


def test_every_metric_that_an_alarm_watches_is_counted(stack: Stack) -> None:
    alarms = [each["Properties"] for each in stack.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(
        len([query for query in alarm.get("Metrics", [{"MetricStat": 1}]) if "MetricStat" in query]) for alarm in alarms
    )
    [counted] = [how_many for _, how_many, of, _ in idle() if of == "metrics that alarms watch"]
    assert counted == watched


def test_every_secret_is_counted(stack: Stack) -> None:
    [counted] = [how_many for _, how_many, of, _ in idle() if of == "secrets"]
    assert counted == len([each for each in stack.values() if each["Type"] == "AWS::SecretsManager::Secret"])


def test_every_event_source_that_asks_a_queue_is_counted(stack: Stack) -> None:
    sources = [each for each in stack.values() if each["Type"] == "AWS::Lambda::EventSourceMapping"]
    [counted] = [how_many for _, how_many, of, _ in idle() if of == "SQS requests"]
    month, every = 30 * 86_400, 20
    assert counted == len(sources) * 5 * month / every


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
    *items, said = [number(row[1]) for row in rows[:6]]
    assert said == together() == pytest.approx(sum(items))
    ways = ("whole", "streamed", "background", "WebSocket")
    assert [number(row[1]) for row in rows[6:]] == pytest.approx([per_run()[way]["$"] for way in ways], abs=0.0051)
