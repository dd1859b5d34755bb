"""Metrics in the log."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from agentos_lambda.aws import metrics
from agentos_lambda.aws.metrics import MetricLines, count_cold_start, observer_of
from agentos_lambda.protocol.values import RunStatus
from tests.clocks import ManualClock
from tests.stores.builders import running


def written(tell: Any) -> dict[str, Any]:
    """The one line that is written when a ``MetricLines`` is told something."""
    out = io.StringIO()
    tell(MetricLines("agentos", ManualClock(), out=out))
    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    return json.loads(text)


def value_of(line: dict[str, Any]) -> tuple[str, int, str]:
    """Name, value and unit, read as CloudWatch does."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "AgentOS"
    assert directive["Dimensions"] == [["Stack"]]
    assert line["Stack"] == "agentos"
    assert line["_aws"]["Timestamp"] == ManualClock().now()
    [metric] = directive["Metrics"]
    return metric["Name"], line[metric["Name"]], metric["Unit"]


def test_an_attempt_that_starts_is_counted_with_its_run():
    line = written(lambda lines: lines.started(running("r")))
    assert value_of(line) == ("RunsStarted", 1, "Count")
    assert (line["run_id"], line["session_id"], line["kind"], line["component_id"]) == (
        "r",
        "session-1",
        "agent",
        "writer",
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (RunStatus.COMPLETED, "RunsCompleted"),
        (RunStatus.CANCELLED, "RunsCancelled"),
        (RunStatus.ERROR, "RunsFailed"),
        (RunStatus.PAUSED, "RunsPaused"),
    ],
)
def test_an_ending_is_counted_by_its_status(status, name):
    line = written(lambda lines: lines.ended(running("r", status=status)))
    assert (value_of(line), line["status"]) == ((name, 1, "Count"), status)


def test_a_lost_run_is_counted_as_lost():
    line = written(lambda lines: lines.lost(running("r", status=RunStatus.ERROR)))
    assert value_of(line) == ("RunsLost", 1, "Count")


def test_a_run_that_a_sweep_could_not_look_after_is_counted():
    line = written(lambda lines: lines.unswept("r"))
    assert (value_of(line), line["run_id"]) == (("RunsUnswept", 1, "Count"), "r")


def test_the_time_to_the_first_event_is_in_milliseconds():
    assert value_of(written(lambda lines: lines.first_event(running(), after_ms=42))) == (
        "TimeToFirstEvent",
        42,
        "Milliseconds",
    )


def test_a_line_holds_neither_what_a_run_said_nor_its_user():
    record = running("r", error="the words of an answer", user_id="alice")
    line = json.dumps(written(lambda lines: lines.lost(record)))
    assert "the words" not in line
    assert "alice" not in line


def test_a_cold_start_is_counted_for_a_stack(capsys):
    count_cold_start("agentos", ManualClock())
    assert value_of(json.loads(capsys.readouterr().out)) == ("ColdStarts", 1, "Count")


def test_without_a_stack_nothing_is_written(capsys):
    observer = observer_of(None, ManualClock())
    observer.started(running())
    observer.first_event(running(), after_ms=1)
    observer.ended(running(status=RunStatus.COMPLETED))
    observer.lost(running())
    observer.unswept("r")
    assert capsys.readouterr().out == ""


def test_every_status_that_a_run_can_end_in_has_a_metric():
    assert metrics.ENDED.keys() == {status for status in RunStatus if not status.active}
