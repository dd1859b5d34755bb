"""The tables of the template in an account of a cloud, and the bucket beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from agentos_lambda.stores.dynamodb import Tables
from local.cloud.resources import TABLE_FIELDS
from local.template.document import Template
from tests.process import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def create_tables(dynamodb: DynamoDBClient, s3: S3Client, tables: Tables) -> None:
    """As the template has them. They are named as in the template, without ``Table``."""
    for definition in _definitions():
        dynamodb.create_table(**definition)
    s3.create_bucket(Bucket=tables.bucket)


@cache
def _definitions() -> list[Mapping[str, Any]]:
    template = Template.load(ROOT / "template.yaml")
    return [
        {
            "TableName": name.removesuffix("Table"),
            **{field: properties[field] for field in TABLE_FIELDS if field in properties},
        }
        for name, properties in template.tables.items()
    ]
