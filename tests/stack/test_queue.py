"""The queue of runs, its worker, and the sweeper, which finds the runs that the queue has lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentos_lambda.runs.timing import MAX_WAIT_MS, REPEAT_AFTER_MS
from tests.manifest import LAYERS_PATH
from tests.stack.translation import ROOT, translate

Stack = dict[str, dict[str, Any]]

DAY = 86_400


def mapping(stack: Stack) -> dict[str, Any]:
    return stack["WorkerFunctionQueue"]["Properties"]


def test_a_message_whose_delivery_failed_is_delivered_again_as_soon_as_lambda_allows(stack: Stack) -> None:
    hidden = stack["RunsQueue"]["Properties"]["VisibilityTimeout"]
    assert hidden == stack["WorkerFunction"]["Properties"]["Timeout"]
    assert hidden * 1000 == REPEAT_AFTER_MS


def test_a_message_outlives_the_time_that_its_run_may_wait_and_all_its_receives(stack: Stack) -> None:
    queue = stack["RunsQueue"]["Properties"]
    receives = queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert queue["MessageRetentionPeriod"] >= max(MAX_WAIT_MS / 1000, receives)


def test_a_message_is_a_dead_letter_after_five_failed_receives_and_is_kept_for_14_days(stack: Stack) -> None:
    redrive = stack["RunsQueue"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": "DeadLetterQueue.Arn", "maxReceiveCount": 5}
    assert stack["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * DAY


@pytest.mark.parametrize(
    ("queue", "of"),
    [
        ("RunsQueue", "RunsQueuePolicy"),
        ("DeadLetterQueue", "RunsQueuePolicy"),
    ],
)
def test_a_queue_is_encrypted_and_refuses_every_request_without_tls(stack: Stack, queue: str, of: str) -> None:
    assert stack[queue]["Properties"]["SqsManagedSseEnabled"] is True
    policy = stack[of]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert queue in policy["Queues"]
    assert f"{queue}.Arn" in statement["Resource"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_worker_takes_one_run_at_a_time_and_names_those_that_failed(stack: Stack) -> None:
    properties = mapping(stack)
    assert properties["EventSourceArn"] == "RunsQueue.Arn"
    assert properties["BatchSize"] == 1
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_lambda_drops_no_run_that_comes_back_through_the_queue_slice_after_slice(stack: Stack) -> None:
    """By default it drops the message after about 16 passes through the queue.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    functions = {name: each["Properties"] for name, each in stack.items() if each["Type"] == "AWS::Lambda::Function"}
    assert {name for name, each in functions.items() if each.get("RecursiveLoop") == "Allow"} == {"WorkerFunction"}


def test_as_many_runs_execute_at_once_as_the_parameter_says(stack: Stack) -> None:
    assert mapping(stack)["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert mapping(translate(WorkerConcurrency="50"))["ScalingConfig"] == {"MaximumConcurrency": "50"}


def test_the_sweeper_sweeps_every_minute_and_leaves_a_failed_sweep_to_the_next(stack: Stack) -> None:
    rule = stack["SweeperFunctionEveryMinute"]["Properties"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [target["Arn"] for target in rule["Targets"]] == ["SweeperFunction.Arn"]
    (invocation,) = [each for each in stack.values() if each["Type"] == "AWS::Lambda::EventInvokeConfig"]
    assert invocation["Properties"]["MaximumRetryAttempts"] == 0


@pytest.mark.parametrize("function", ["worker", "sweeper", "websocket"])
def test_a_function_without_http_loads_neither_web_framework_nor_engine(function: str, manifest: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": LAYERS_PATH, "AGENTOS_MANIFEST": str(manifest)}
    program = "import sys, app; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "functions" / function,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(done.stdout.split())
    assert {"app", "agentos_lambda"} <= loaded
    assert not loaded & {"agno", "boto3", "components", "fastapi", "mangum", "pydantic", "starlette"}


def test_every_queue_has_a_dead_letter_queue(stack: Stack) -> None:
    queues = {name: each["Properties"] for name, each in stack.items() if each["Type"] == "AWS::SQS::Queue"}
    aside = {
        name: each["RedrivePolicy"]["deadLetterTargetArn"] for name, each in queues.items() if "RedrivePolicy" in each
    }
    assert set(aside.values()) == {f"{name}.Arn" for name in queues.keys() - aside.keys()}
