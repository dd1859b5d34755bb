"""An account of the local cloud is a copy of the first one's tables."""

from __future__ import annotations

from typing import Any

from tests.stores.accounts import Aws, ministack_account

ITEM: Any = {"run_id": {"S": "r"}, "item": {"S": "RECORD"}}


def keys_and_arns(aws: Aws) -> dict[str, tuple[Any, ...]]:
    """Of each table and its indexes, by name."""
    found: dict[str, tuple[Any, ...]] = {}
    for name in aws.dynamodb.list_tables()["TableNames"]:
        table = aws.dynamodb.describe_table(TableName=name)["Table"]
        found[name] = (table["KeySchema"], table["TableArn"])
        for index in table.get("GlobalSecondaryIndexes", ()):
            found[index["IndexName"]] = (index["KeySchema"], index["Projection"], index["IndexArn"])
    return found


def test_accounts_have_the_same_tables_and_share_no_item(cloud_url: str) -> None:
    one = ministack_account(cloud_url)
    one.dynamodb.put_item(TableName="Runs", Item=ITEM)
    first, tables = one.account, keys_and_arns(one)

    other = ministack_account(cloud_url)
    assert {"Runs", "Sessions", "RunEvents", "due"} <= tables.keys()
    assert repr(keys_and_arns(other)) == repr(tables).replace(first, other.account)
    assert other.dynamodb.scan(TableName="Runs")["Items"] == []
    assert other.s3.list_objects_v2(Bucket=other.tables.bucket)["KeyCount"] == 0
