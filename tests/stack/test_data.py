"""Tables, bucket and secret."""

from __future__ import annotations

from typing import Any

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.dynamodb.items import record_item
from tests.stack.translation import source, translate

Stack = dict[str, dict[str, Any]]

TABLES = ("RunsTable", "SessionsTable", "RunEventsTable")


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {part["KeyType"]: part["AttributeName"] for part in schema}


def types(table: dict[str, Any]) -> dict[str, str]:
    return {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]}


def indexes(table: dict[str, Any]) -> dict[str, tuple[dict[str, str], str]]:
    return {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }


def test_runs_are_keyed_by_run_and_item_and_the_active_ones_are_indexed(stack: Stack) -> None:
    table = stack["RunsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "run_id", "RANGE": "item"}
    assert indexes(table) == {"active": ({"HASH": "active_shard", "RANGE": "accepted_at"}, "KEYS_ONLY")}
    assert types(table) == {"run_id": "S", "item": "S", "active_shard": "S", "accepted_at": "N"}


def test_sessions_are_keyed_by_session_and_item_and_indexed_by_component_and_user(stack: Stack) -> None:
    table = stack["SessionsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "session_id", "RANGE": "item"}
    assert indexes(table) == {
        "by_component": ({"HASH": "component", "RANGE": "updated_at"}, "KEYS_ONLY"),
        "by_user": ({"HASH": "user_id", "RANGE": "updated_at"}, "KEYS_ONLY"),
    }
    assert types(table) == {"session_id": "S", "item": "S", "component": "S", "user_id": "S", "updated_at": "N"}


def test_events_are_keyed_by_run_and_pack_and_expire(stack: Stack) -> None:
    table = stack["RunEventsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "run_id", "RANGE": "pack"}
    assert indexes(table) == {}
    assert types(table) == {"run_id": "S", "pack": "S"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_sessions_never_expire(stack: Stack) -> None:
    assert "TimeToLiveSpecification" not in stack["SessionsTable"]["Properties"]


def test_only_what_is_left_of_followers_expires_in_the_table_of_runs(stack: Stack) -> None:
    expiry = stack["RunsTable"]["Properties"]["TimeToLiveSpecification"]
    assert expiry == {"AttributeName": "follower_expires_at", "Enabled": True}
    record = RunRecord("r", Kind.AGENT, "a", "s", None, RunStatus.RUNNING, 0, "token")
    assert "follower_expires_at" not in record_item(record)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_paid_by_request_encrypted_and_recoverable(stack: Stack, name: str) -> None:
    table = stack[name]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", [*TABLES, "Bucket"])
def test_data_outlives_its_stack_but_not_a_first_deployment_that_failed(stack: Stack, name: str) -> None:
    assert stack[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_protected_from_deletion_where_the_stack_says_so(stack: Stack, name: str) -> None:
    protected = translate(DeletionProtection="true")
    assert stack[name]["Properties"]["DeletionProtectionEnabled"] == "false"
    assert protected[name]["Properties"]["DeletionProtectionEnabled"] == "true"


def test_the_bucket_is_private_and_encrypted(stack: Stack) -> None:
    bucket = stack["Bucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def test_the_bucket_refuses_every_request_without_tls(stack: Stack) -> None:
    policy = stack["BucketPolicy"]["Properties"]
    assert policy["Bucket"] == "Bucket"
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == ["Bucket.Arn", "${Bucket.Arn}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_events_in_the_bucket_outlive_the_longest_retention_by_a_day() -> None:
    template = source()
    (rule,) = [
        rule
        for rule in template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    ]
    longest = template["Parameters"]["EventsRetention"]["MaxValue"]
    assert (rule["Prefix"], rule["ExpirationInDays"] * 86400) == ("events/", longest + 86400)


def test_a_key_of_over_256_bits_is_generated_unless_a_secret_is_named(stack: Stack) -> None:
    generated = stack["SecuritySecret"]["Properties"]["GenerateSecretString"]
    assert generated == {"PasswordLength": 48, "ExcludePunctuation": True}
    own = translate(SecuritySecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf")
    assert "SecuritySecret" not in own
