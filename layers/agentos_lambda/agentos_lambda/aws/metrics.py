"""Metrics as lines of the log, in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Each line names its run, so the lines are a run's history, too. None holds what the run was asked or what it said.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from agentos_lambda.aws.logs import request_id
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.observer import Observer, Unobserved

if TYPE_CHECKING:
    from agentos_lambda.runs.model import RunRecord

NAMESPACE = "AgentOS"
DIMENSION = "Stack"

STARTED = "RunsStarted"
LOST = "RunsLost"
UNSWEPT = "RunsUnswept"
ENDED = {
    RunStatus.COMPLETED: "RunsCompleted",
    RunStatus.CANCELLED: "RunsCancelled",
    RunStatus.ERROR: "RunsFailed",
    RunStatus.PAUSED: "RunsPaused",
}
FIRST_EVENT = "TimeToFirstEvent"
COLD_STARTS = "ColdStarts"


class MetricLines:
    """Implements ``runs.observer.Observer``: a line for each call."""

    def __init__(self, stack: str, clock: Clock, *, out: TextIO | None = None) -> None:
        self._stack = stack
        self._clock = clock
        self._out = out or sys.stdout

    def started(self, record: RunRecord) -> None:
        self._write(STARTED, 1, "Count", _of(record))

    def first_event(self, record: RunRecord, *, after_ms: int) -> None:
        self._write(FIRST_EVENT, after_ms, "Milliseconds", _of(record))

    def ended(self, record: RunRecord) -> None:
        self._write(ENDED[record.status], 1, "Count", _of(record))

    def lost(self, record: RunRecord) -> None:
        self._write(LOST, 1, "Count", _of(record))

    def unswept(self, run_id: str) -> None:
        self._write(UNSWEPT, 1, "Count", {"run_id": run_id})

    def cold_start(self) -> None:
        """An environment is being made ready."""
        self._write(COLD_STARTS, 1, "Count", {})

    def _write(self, name: str, value: int, unit: str, properties: Mapping[str, object]) -> None:
        definition = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": [{"Name": name, "Unit": unit}]}
        line = {
            "_aws": {"Timestamp": self._clock.now(), "CloudWatchMetrics": [definition]},
            DIMENSION: self._stack,
            name: value,
            "requestId": request_id.get(),
            **properties,
        }
        # One write: lines of two threads must not mix.
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def observer_of(stack: str | None, clock: Clock) -> Observer:
    """What observes the runs of this stack; nothing does where there is no stack."""
    return Unobserved() if stack is None else MetricLines(stack, clock)


def count_cold_start(stack: str, clock: Clock) -> None:
    """Count the environment that is being made ready."""
    MetricLines(stack, clock).cold_start()


def _of(record: RunRecord) -> dict[str, object]:
    return {
        "run_id": record.run_id,
        "session_id": record.session_id,
        "kind": record.kind,
        "component_id": record.component_id,
        "status": record.status,
        "attempt": record.attempt,
    }
