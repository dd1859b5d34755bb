"""The item of a run's record."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from agentos_lambda.runs.model import RunRecord
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, attributes_of, fields_of, text

ACTIVE_INDEX = "active"
"""The sparse index of runs that are PENDING or RUNNING, by the time they were accepted."""
ACTIVE_SHARDS = 4
"""Its partitions."""

_RECORD = text("RECORD")
_NAMES = {"component_id": "component"}
"""Fields whose attributes have another name."""


def record_key(run_id: str) -> Item:
    return {"run_id": text(run_id), "item": _RECORD}


def record_item(record: RunRecord) -> Item:
    """The item of an accepted run. ``active_shard`` keeps it in the sparse index until the run ends."""
    return {
        **VERSION,
        **attributes_of(record, _NAMES),
        **record_key(record.run_id),
        "active_shard": active_shard(record.run_id),
    }


def active_shard(run_id: str) -> dict[str, str]:
    """This run's partition of the index of active runs."""
    return text(str(zlib.crc32(run_id.encode()) % ACTIVE_SHARDS))


def record_of(item: Mapping[str, Any]) -> RunRecord:
    """The record in an item."""
    return RunRecord(**fields_of(RunRecord, item, _NAMES))
