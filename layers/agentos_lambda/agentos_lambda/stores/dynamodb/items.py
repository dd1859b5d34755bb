"""The item of a run's record."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.usage import day_of
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, attributes_of, fields_of, number, text
from agentos_lambda.stores.rules import due_at

DUE_INDEX = "due"
"""The sparse index of runs that are PENDING or RUNNING, by the time at which a sweep has to look at them."""
DUE_SHARDS = 16
"""Its partitions: 50,000 runs at once, of which 1,000 start and end in a second, write less than 1,000 units a second
to each. docs/capacity.md has the arithmetic."""

ACTIVE_INDEX = "by_session"
"""The sparse index of the same runs by their session."""

USAGE_INDEX = "usage"
"""The sparse index of runs that have ended or paused, by the day on which they were accepted."""
USAGE_SHARDS = 4

_RECORD = text("RECORD")
_NAMES = {"component_id": "component"}
"""Fields whose attributes have another name."""


def record_key(run_id: str) -> Item:
    return {"run_id": text(run_id), "item": _RECORD}


def record_item(record: RunRecord) -> Item:
    """The item of an accepted run."""
    due = due_at(record)
    indexed = {} if due is None else {**active_keys(record), "due_at": number(due)}
    return {**VERSION, **attributes_of(record, _NAMES), **record_key(record.run_id), **indexed}


def active_keys(record: RunRecord) -> Item:
    """The attributes that keep a run in the two sparse indexes until it ends or pauses."""
    return {"due_shard": due_shard(record.run_id), "active_session": text(record.session_id)}


def due_shard(run_id: str) -> dict[str, str]:
    """This run's partition of the index of what is due."""
    return text(str(zlib.crc32(run_id.encode()) % DUE_SHARDS))


def usage_keys(record: RunRecord) -> Item:
    """The attributes that put a run into the index of what was used.

    A run belongs to the day of its acceptance, whatever day it ends on: it is in one bill, and always in the same one.
    """
    shard = zlib.crc32(record.run_id.encode()) % USAGE_SHARDS
    return {"usage_shard": text(f"{day_of(record.accepted_at)}#{shard}"), "account": text(record.payer)}


def usage_shards(day: str) -> list[str]:
    """The partitions of the index that hold a day."""
    return [f"{day}#{shard}" for shard in range(USAGE_SHARDS)]


def record_of(item: Mapping[str, Any]) -> RunRecord:
    """The record in an item."""
    return RunRecord(**fields_of(RunRecord, item, _NAMES))
