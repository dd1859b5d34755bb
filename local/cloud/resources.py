"""The template's tables, buckets and queues in the local cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.cloud.session import CloudClients
from local.settings import CannotStart
from local.template.document import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

TABLE_FIELDS = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
)
"""Properties that CreateTable calls by the same name, and that matter locally."""

_QUEUE_FIELDS = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "RedrivePolicy")
"""The same for CreateQueue."""


def create_resources(template: Template, clients: CloudClients) -> None:
    """Create the tables, buckets and queues that do not exist yet. Blocks.

    Raises ``CannotStart`` if a table exists with other keys or indexes, which an older template gave it.
    """
    _create_tables(clients.dynamodb, template.tables)
    present = {bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]}
    for name in template.buckets:
        if name not in present:
            clients.s3.create_bucket(Bucket=name)
    # Dead-letter queues first: a queue must find the one that it names.
    for name in sorted(template.queues, key=lambda name: "RedrivePolicy" in template.queues[name]):
        _provide_queue(clients.sqs, name, template.queues[name])


def _create_tables(dynamodb: DynamoDBClient, tables: Mapping[str, Mapping[str, Any]]) -> None:
    present = set(dynamodb.list_tables()["TableNames"])
    for name, properties in tables.items():
        if name not in present:
            _create_table(dynamodb, name, properties)
        elif _keys(dynamodb.describe_table(TableName=name)["Table"]) != _keys(properties):
            raise CannotStart(
                f"{name} was kept by an older version, with other keys or indexes: delete the folder .local/cloud, and "
                "with it the runs and sessions that it keeps, then start again"
            )


def _keys(table: Mapping[str, Any]) -> list[Any]:
    """The key of a table, and its indexes: their keys and what they hold."""
    return [table["KeySchema"], sorted(map(_index, table.get("GlobalSecondaryIndexes", ())))]


def _index(index: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return index["IndexName"], str(index["KeySchema"]), sorted(index["Projection"].get("NonKeyAttributes", ()))


def _create_table(dynamodb: DynamoDBClient, name: str, properties: Mapping[str, Any]) -> None:
    fields = {field: properties[field] for field in TABLE_FIELDS if field in properties}
    dynamodb.create_table(TableName=name, **fields)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    if time_to_live := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=time_to_live)


def _provide_queue(sqs: SQSClient, name: str, properties: Mapping[str, Any]) -> None:
    """Create the queue, or give an existing one the attributes that the template has now."""
    attributes: Any = {
        field: json.dumps(value) if isinstance(value := properties[field], dict) else str(value)
        for field in _QUEUE_FIELDS
        if field in properties
    }
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
