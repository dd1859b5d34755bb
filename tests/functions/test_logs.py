"""The request that a function's metrics name: each entry has its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agentos_lambda.aws.logs import request_id
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from tests.functions.handlers import Context, load_handler, sample_event
from tests.stores.accounts import Aws

WAITING = RunRecord(
    run_id="r",
    kind=Kind.AGENT,
    component_id="assistant",
    session_id="session-1",
    user_id=None,
    status=RunStatus.PENDING,
    accepted_at=1,
    token="r",
)
ABANDONED = replace(WAITING, status=RunStatus.RUNNING, attempt=1, tries=1, executor="dead", lease_until=1)


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("STACK_NAME", "agentos")
    monkeypatch.setenv("OS_SECURITY_KEY", "sesame")
    return monkeypatch


@pytest.fixture
def store(aws: Aws) -> DynamoDBStore:
    return DynamoDBStore(aws.tables, clients=Clients(dynamodb=aws.dynamodb, s3=aws.s3))


def metrics(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Of each metric: its name, and the request that it names."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    names = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines]
    return [(name, line["requestId"]) for name, line in zip(names, lines, strict=True) if name != "ColdStarts"]


def test_the_sweeper_s(stack, store, capsys):
    store.accept(ABANDONED)
    assert load_handler("sweeper")({}, Context())["lost"] == 1
    assert metrics(capsys) == [("RunsLost", "request-1")]


def test_an_http_function_s(stack, capsys):
    event = sample_event("agents")
    event["multiValueHeaders"]["Authorization"] = ["Bearer sesame"]
    assert load_handler("agents")(event, Context())["statusCode"] == 200
    assert metrics(capsys) == [("RunsStarted", "request-1"), ("RunsCompleted", "request-1")]


def test_the_worker_s(stack, store, capsys):
    store.accept(WAITING, work={"input": {"message": "hello", "media": []}})
    event = {"Records": [{"messageId": "m", "body": "r"}]}
    assert load_handler("worker")(event, Context()) == {"batchItemFailures": []}
    told = ["RunsStarted", "TimeToFirstEvent", "RunsCompleted"]
    assert metrics(capsys) == [(name, "request-1") for name in told]


def test_the_websocket_s(stack):
    stack.setenv("CONNECTIONS_TABLE", "Connections")
    load_handler("websocket")(sample_event("websocket-connect"), Context())
    assert request_id.get() == "request-1"
