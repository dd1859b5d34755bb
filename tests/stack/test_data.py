"""Tables, bucket and secret."""

from __future__ import annotations

from typing import Any

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.dynamodb.blobs import media_folder, run_folder, session_prefix
from agentos_lambda.stores.dynamodb.items import record_item
from tests.stack.expected import VARIABLES
from tests.stack.translation import FUNCTIONS, source, translate

Stack = dict[str, dict[str, Any]]

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0b2d6f9e"
TABLES = ("RunsTable", "SessionsTable", "RunEventsTable", "MemoriesTable", "AccountsTable", "LimitsTable")


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {part["KeyType"]: part["AttributeName"] for part in schema}


def types(table: dict[str, Any]) -> dict[str, str]:
    return {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]}


def indexes(table: dict[str, Any]) -> dict[str, tuple[dict[str, str], set[str]]]:
    """Index -> its key, and what it holds besides keys."""
    return {
        index["IndexName"]: (keys(index["KeySchema"]), set(index["Projection"].get("NonKeyAttributes", ())))
        for index in table.get("GlobalSecondaryIndexes", [])
    }


def test_runs_are_keyed_by_run_and_item_and_indexed_by_what_is_due_active_or_accounted_for(stack: Stack) -> None:
    table = stack["RunsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "run_id", "RANGE": "item"}
    assert indexes(table) == {
        "due": ({"HASH": "due_shard", "RANGE": "due_at"}, set()),
        "by_session": ({"HASH": "active_session"}, set()),
        "usage": (
            {"HASH": "usage_shard", "RANGE": "account"},
            {"usage", "user_id", "kind", "component", "status", "ended_at"},
        ),
    }
    indexed = {"due_shard": "S", "due_at": "N", "active_session": "S", "usage_shard": "S", "account": "S"}
    assert types(table) == {"run_id": "S", "item": "S", **indexed}


def test_accounts_are_keyed_by_entry_and_all_listed_in_one_index(stack: Stack) -> None:
    table = stack["AccountsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "entry"}
    assert indexes(table) == {"listed": ({"HASH": "listed", "RANGE": "created_at"}, set())}
    assert types(table) == {"entry": "S", "listed": "S", "created_at": "N"}


def test_sessions_are_keyed_by_session_and_item_and_indexed_by_kind_component_user_and_expiry(stack: Stack) -> None:
    table = stack["SessionsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "session_id", "RANGE": "item"}
    listed = {"kind", "component", "user_id", "name"}
    assert indexes(table) == {
        "by_kind": ({"HASH": "kind_shard", "RANGE": "created_at"}, listed),
        "by_component": ({"HASH": "component_shard", "RANGE": "created_at"}, listed),
        "by_user": ({"HASH": "kind_user", "RANGE": "created_at"}, listed),
        "expiring": ({"HASH": "expiry_shard", "RANGE": "expiry_at"}, set()),
    }
    listed_by = {"kind_shard": "S", "component_shard": "S", "kind_user": "S", "created_at": "N"}
    assert types(table) == {"session_id": "S", "item": "S", **listed_by, "expiry_shard": "S", "expiry_at": "N"}


def test_memories_are_keyed_by_user_and_item_and_indexed_by_time_id_and_user(stack: Stack) -> None:
    table = stack["MemoriesTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "user_id", "RANGE": "item"}
    (by_time,) = table["LocalSecondaryIndexes"]
    assert keys(by_time["KeySchema"]) == {"HASH": "user_id", "RANGE": "updated_at"}
    assert by_time["Projection"] == {"ProjectionType": "ALL"}
    assert indexes(table) == {
        "by_id": ({"HASH": "memory_id"}, set()),
        "by_change": ({"HASH": "memory_shard", "RANGE": "updated_at"}, set()),
        "users": ({"HASH": "users_shard", "RANGE": "changed_at"}, {"total"}),
    }
    indexed = {"memory_id": "S", "memory_shard": "S", "users_shard": "S", "updated_at": "N", "changed_at": "N"}
    assert types(table) == {"user_id": "S", "item": "S", **indexed}


def test_events_are_keyed_by_run_and_pack(stack: Stack) -> None:
    table = stack["RunEventsTable"]["Properties"]
    assert keys(table["KeySchema"]) == {"HASH": "run_id", "RANGE": "pack"}
    assert indexes(table) == {}
    assert types(table) == {"run_id": "S", "pack": "S"}


@pytest.mark.parametrize("name", [*TABLES, "ConnectionsTable"])
def test_items_expire_by_the_same_attribute_in_every_table(stack: Stack, name: str) -> None:
    assert stack[name]["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_nothing_but_events_expires_by_its_age_in_the_bucket() -> None:
    """What a session that lives on holds may be old."""
    rules = source()["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule] == ["events/"]
    for key in (session_prefix("a"), media_folder("a"), run_folder("a", 1)):
        assert not key.startswith("events/")


def test_sessions_and_runs_are_kept_unless_the_stack_says_how_long() -> None:
    kept, expiring = translate(), translate(SessionsRetention="30", RunsRetention="7")
    for name, days in (("SESSIONS_RETENTION_DAYS", 30), ("RUNS_RETENTION_DAYS", 7)):
        functions = [each for each in VARIABLES if name in VARIABLES[each]]
        assert len(functions) == 7
        for function in functions:
            before, after = (
                stack[function]["Properties"]["Environment"]["Variables"][name] for stack in (kept, expiring)
            )
            assert (int(before), int(after)) == (0, days)


def test_the_record_of_an_active_run_does_not_expire() -> None:
    record = RunRecord("r", Kind.AGENT, "a", "s", None, RunStatus.RUNNING, 0, "token")
    assert "expires_at" not in record_item(record)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_recoverable_unless_its_items_live_for_a_day(stack: Stack, name: str) -> None:
    recovery = {"PointInTimeRecoveryEnabled": True} if name != "RunEventsTable" else None
    assert stack[name]["Properties"].get("PointInTimeRecoverySpecification") == recovery


@pytest.mark.parametrize("name", [*TABLES, "ConnectionsTable"])
def test_a_table_is_paid_by_request_and_encrypted_by_a_key_that_is_free_or_given(stack: Stack, name: str) -> None:
    table = stack[name]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "SSESpecification" not in table
    keyed = translate(DataKeyArn=KEY)[name]["Properties"]["SSESpecification"]
    assert keyed == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}


def test_a_key_that_is_given_encrypts_bucket_and_secret_and_every_function_may_use_it(stack: Stack) -> None:
    assert "DataKeyPolicy" not in stack
    keyed = translate(DataKeyArn=KEY)
    assert keyed["SecuritySecret"]["Properties"]["KmsKeyId"] == KEY
    (rule,) = keyed["Bucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    policy = keyed["DataKeyPolicy"]["Properties"]
    assert {f"{role}.Arn" for role in policy["Roles"]} == {keyed[name]["Properties"]["Role"] for name in FUNCTIONS}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == KEY
    services = statement["Condition"]["StringEquals"]["kms:ViaService"]
    assert {service.partition(".")[0] for service in services} == {"dynamodb", "s3", "secretsmanager"}


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
