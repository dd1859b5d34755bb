"""Functions of a stack whose variables name no key: they let nobody in."""

from __future__ import annotations

import json

import pytest

from tests.functions.handlers import Context, load_handler, sample_event
from tests.stores.accounts import Aws

HTTP_FUNCTIONS = ("config", "control", "follow", "agents", "teams", "workflows")


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of a stack, of which the one that names the secret is empty."""
    monkeypatch.setenv("STACK_NAME", "agentos")
    monkeypatch.setenv("SECURITY_KEY_SECRET", "")
    return monkeypatch


def status(function: str) -> int:
    return load_handler(function)(sample_event(function), Context())["statusCode"]


@pytest.mark.parametrize("function", HTTP_FUNCTIONS)
def test_a_stack_without_a_key_refuses_every_caller(stack, aws, function):
    answer = load_handler(function)(sample_event(function), Context())
    assert (answer["statusCode"], json.loads(answer["body"])["error_code"]) == (503, "SERVICE_UNAVAILABLE")
    assert aws.dynamodb.scan(TableName="Runs")["Items"] == []


def test_a_key_that_is_given_as_it_is_counts_in_a_stack_too(stack):
    stack.setenv("OS_SECURITY_KEY", "sesame")
    assert status("config") == 401


def test_under_sam_local_there_is_a_stack_s_name_but_no_stack(stack):
    stack.setenv("AWS_SAM_LOCAL", "true")
    assert status("config") == 200


def test_the_websocket_of_a_stack_without_a_key_does_nothing_for_anybody(stack, aws):
    for name, value in {
        "CONNECTIONS_TABLE": "Connections",
        "WEBSOCKET_MANAGEMENT_URL": "https://api.execute-api.us-east-1.amazonaws.com/v1",
    }.items():
        stack.setenv(name, value)
    handler = load_handler("websocket")
    for event in ("connect", "authenticate", "start-workflow"):
        handler(sample_event(f"websocket-{event}"), Context())
    assert aws.dynamodb.scan(TableName="Runs")["Items"] == []
    connections = aws.dynamodb.scan(TableName="Connections")["Items"]
    assert [bool(each.get("proof")) for each in connections] == [False]
