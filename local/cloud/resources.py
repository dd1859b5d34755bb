"""The template's tables, buckets and queues in the local cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.cloud.session import ONCE, cloud_session
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
"""What CreateTable and the template call by the same name, and what matters locally."""

_QUEUE_FIELDS = ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "RedrivePolicy")
"""The same of CreateQueue."""


def create_resources(template: Template, cloud_url: str) -> None:
    """Create the tables, buckets and queues that are not there yet. Blocks.

    Raises ``CannotStart`` if a table is there from an older template.
    """
    session = cloud_session()
    dynamodb = session.client("dynamodb", endpoint_url=cloud_url, config=ONCE)
    present = set(dynamodb.list_tables()["TableNames"])
    for name, properties in template.tables.items():
        if name not in present:
            _create_table(dynamodb, name, properties)
        elif _keys(dynamodb.describe_table(TableName=name)["Table"]) != _keys(properties):
            raise CannotStart(f"the kept table {name} has other keys than the template's: remove the kept state")
    s3 = session.client("s3", endpoint_url=cloud_url, config=ONCE)
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for name in template.buckets:
        if name not in buckets:
            s3.create_bucket(Bucket=name)
    sqs = queue_client(cloud_url)
    # Dead letters first: a queue has to find the one that it names.
    for name in sorted(template.queues, key=lambda name: "RedrivePolicy" in template.queues[name]):
        _provide_queue(sqs, name, template.queues[name])


def queue_client(cloud_url: str) -> SQSClient:
    """A client of the local cloud's queues."""
    return cloud_session().client("sqs", endpoint_url=cloud_url, config=ONCE)


def _keys(table: Mapping[str, Any]) -> list[Any]:
    """The key of a table and those of its indexes."""
    indexes = table.get("GlobalSecondaryIndexes", ())
    return [table["KeySchema"], sorted((index["IndexName"], str(index["KeySchema"])) for index in indexes)]


def _create_table(dynamodb: DynamoDBClient, name: str, properties: Mapping[str, Any]) -> None:
    fields = {field: properties[field] for field in TABLE_FIELDS if field in properties}
    dynamodb.create_table(TableName=name, **fields)
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    if time_to_live := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=time_to_live)


def _provide_queue(sqs: SQSClient, name: str, properties: Mapping[str, Any]) -> None:
    """Create the queue, or make a kept one what the template says now."""
    attributes: Any = {
        field: json.dumps(value) if isinstance(value := properties[field], dict) else str(value)
        for field in _QUEUE_FIELDS
        if field in properties
    }
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
