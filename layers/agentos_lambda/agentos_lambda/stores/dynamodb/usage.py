"""What runs have used: read from an index of their records, and kept where a record is removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agentos_lambda.runs.usage import Usage
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, fields_of, text
from agentos_lambda.stores.dynamodb.items import USAGE_INDEX, usage_shards
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.usage.ports import RunUsage

PREFIX = "USAGE#"
"""How the sort key begins of what is kept of a removed record."""

_KEPT = ("usage", "usage_shard", "account", "user_id", "kind", "component", "status", "ended_at")


class DynamoDBUsage:
    """Implements ``usage.ports.UsageStore``."""

    def __init__(self, runs: Table) -> None:
        self._runs = runs

    def used_on(self, day: str, account: str | None) -> Iterator[RunUsage]:
        for shard in usage_shards(day):
            condition, values = "#usage_shard = :shard", {":shard": text(shard)}
            if account is not None:
                condition, values = f"{condition} AND #account = :account", {**values, ":account": text(account)}
            for item in self._runs.query(condition, values, index=USAGE_INDEX):
                yield RunUsage(item["account"]["S"], Usage(**fields_of(Usage, item["usage"]["M"])))


def kept_of(record: Mapping[str, Any]) -> Item | None:
    """What stays of the item of a record that is removed; None if the run has used nothing that counts."""
    if "usage_shard" not in record:
        return None
    # A run id may be used again, and that run removed, too.
    key = {"run_id": record["run_id"], "item": text(f"{PREFIX}{int(record['accepted_at']['N']):013d}")}
    return {**VERSION, **key, **{name: record[name] for name in _KEPT if name in record}}
