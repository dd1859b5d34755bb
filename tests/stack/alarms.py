"""What the alarms and the dashboard of a stack read."""

from __future__ import annotations

import json
from typing import Any

Stack = dict[str, dict[str, Any]]


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    """Logical id -> properties."""
    return {
        name: resource["Properties"] for name, resource in stack.items() if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def watched(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric that an alarm watches."""
    single = [alarm] if "MetricName" in alarm else []
    several = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [
        (each["Namespace"], each["MetricName"], {pair["Name"]: pair["Value"] for pair in each["Dimensions"]})
        for each in single + several
    ]


def drawn(stack: Stack) -> list[list[Any]]:
    """Each metric of the dashboard, as its body has it: namespace, name, then dimensions and options."""
    widgets = json.loads(stack["Dashboard"]["Properties"]["DashboardBody"])["widgets"]
    return [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
