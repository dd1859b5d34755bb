"""Alarms, dashboard, access logs and traces of the stack, and the limits of its API."""

from __future__ import annotations

import json
import re
from typing import Any

from agentos_lambda.aws import metrics
from tests.stack.alarms import alarms, drawn, watched
from tests.stack.translation import ROOT, translate

Stack = dict[str, dict[str, Any]]

EMITTED = {
    metrics.STARTED,
    metrics.LOST,
    metrics.UNSWEPT,
    metrics.FIRST_EVENT,
    metrics.COLD_STARTS,
    *metrics.ENDED.values(),
}
OF_AWS = {
    "AWS/ApiGateway": ({"Count", "4XXError", "5XXError", "Latency"}, {"ApiName", "Stage"}),
    "AWS/Lambda": ({"Invocations", "Errors", "Throttles", "ConcurrentExecutions"}, {"FunctionName"}),
    "AWS/SQS": (
        {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage",
        },
        {"QueueName"},
    ),
}
"""Metrics and their dimensions, as the services' own documentation lists them."""


def assert_exists(namespace: str, name: str, dimensions: dict[str, str]) -> None:
    if namespace == metrics.NAMESPACE:
        assert name in EMITTED
        assert dimensions.keys() == {metrics.DIMENSION}
        assert dimensions[metrics.DIMENSION] in ("AWS::StackName", "${AWS::StackName}")
    else:
        names, of = OF_AWS[namespace]
        assert name in names
        assert dimensions.keys() == of


def test_there_is_an_alarm_for_each_thing_that_needs_an_operator(watching: Stack) -> None:
    assert alarms(watching).keys() == {
        "LostRunsAlarm",
        "UnsweptRunsAlarm",
        "DeadLetterAlarm",
        "OldestRunAlarm",
        "ServerErrorsAlarm",
        "NoSweepAlarm",
    }
    assert all(alarm["AlarmDescription"] for alarm in alarms(watching).values())


def test_the_operations_page_says_what_each_alarm_means_and_what_to_do(watching: Stack) -> None:
    rows = (line.split("|") for line in (ROOT / "docs/operations.md").read_text().splitlines())
    told = {row[1].strip(" `"): row[2:4] for row in rows if len(row) == 5}
    for alarm in alarms(watching):
        assert all(cell.strip() for cell in told[alarm])


def test_alarms_watch_metrics_that_there_are(watching: Stack) -> None:
    for alarm in alarms(watching).values():
        assert watched(alarm)
        for metric in watched(alarm):
            assert_exists(*metric)


def test_alarms_watch_six_metrics_at_most(watching: Stack) -> None:
    assert sum(len(watched(alarm)) for alarm in alarms(watching).values()) <= 6


def test_an_alarm_is_raised_when_no_sweep_succeeds_and_when_there_is_none(watching: Stack) -> None:
    alarm = alarms(watching)["NoSweepAlarm"]
    assert watched(alarm) == [("AWS/Lambda", "Errors", {"FunctionName": "SweeperFunction"})]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Minimum", 1, "breaching")


def test_the_oldest_run_raises_an_alarm_only_when_it_must_have_waited(watching: Stack) -> None:
    longest = watching["WorkerFunction"]["Properties"]["Timeout"]
    assert alarms(watching)["OldestRunAlarm"]["Threshold"] >= 2 * longest


def test_the_access_log_s_api_is_the_one_that_the_alarm_watches(watching: Stack) -> None:
    ((_, _, dimensions),) = watched(alarms(watching)["ServerErrorsAlarm"])
    assert dimensions == {"ApiName": watching["Api"]["Properties"]["Name"], "Stage": "v1"}


def test_only_the_silence_of_the_sweeper_raises_an_alarm(watching: Stack) -> None:
    for name, alarm in alarms(watching).items():
        assert alarm["TreatMissingData"] == ("breaching" if name == "NoSweepAlarm" else "notBreaching")


def test_there_are_alarms_only_where_somebody_is_told_when_they_begin_and_end(stack: Stack, watching: Stack) -> None:
    assert "AlarmTopic" not in stack
    assert alarms(stack) == {}
    [owner] = watching["AlarmTopic"]["Properties"]["Subscription"]
    assert owner == {"Protocol": "email", "Endpoint": "ops@example.com"}
    for alarm in alarms(watching).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["AlarmTopic"]


def test_the_dashboard_draws_metrics_that_there_are(stack: Stack) -> None:
    for namespace, name, *rest in drawn(stack):
        pairs = [each for each in rest if isinstance(each, str)]
        assert_exists(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def test_the_dashboard_draws_every_metric_that_the_code_emits_and_every_alarm(stack: Stack, watching: Stack) -> None:
    for each in (stack, watching):
        assert {name for namespace, name, *_ in drawn(each) if namespace == metrics.NAMESPACE} == EMITTED
        shown = re.findall(r"\$\{(\w+Alarm)\.Arn\}", each["Dashboard"]["Properties"]["DashboardBody"])
        assert set(shown) == alarms(each).keys()


def test_access_logs_are_json_and_hold_neither_query_nor_headers_with_secrets(stack: Stack) -> None:
    setting = stack["Apiv1Stage"]["Properties"]["AccessLogSetting"]
    assert setting["DestinationArn"] == "AccessLogGroup.Arn"
    fields = json.loads(setting["Format"])
    assert {"requestId", "path", "status", "xrayTraceId"} <= fields.keys()
    assert not re.search(r"(?i)authorization|querystring|requestOverride|\binput\b", setting["Format"])
    of_sockets = stack["WebSocketStage"]["Properties"]["AccessLogSettings"]
    assert of_sockets["DestinationArn"] == "AccessLogGroup.Arn"
    assert json.loads(of_sockets["Format"]).keys() >= {"requestId", "connectionId", "route", "status"}


def test_access_logs_can_be_turned_off_and_the_account_s_role_can_be_left_alone(stack: Stack) -> None:
    assert {"ApiAccount", "ApiLogRole", "AccessLogGroup"} <= stack.keys()
    assert not {"ApiAccount", "ApiLogRole"} & translate(AccessLogs="use-role").keys()
    without = translate(AccessLogs="none")
    assert not {"ApiAccount", "ApiLogRole", "AccessLogGroup"} & without.keys()
    assert "AccessLogSetting" not in without["Apiv1Stage"]["Properties"]
    assert "AccessLogSettings" not in without["WebSocketStage"]["Properties"]


def test_the_account_s_role_for_logs_outlives_the_stack(stack: Stack) -> None:
    for name in ("ApiAccount", "ApiLogRole"):
        assert stack[name]["DeletionPolicy"] == "Retain"


def test_the_api_is_throttled_and_traced(stack: Stack) -> None:
    stage = stack["Apiv1Stage"]["Properties"]
    assert stage["TracingEnabled"] is True
    assert stage["MethodSettings"] == [
        {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    ]
