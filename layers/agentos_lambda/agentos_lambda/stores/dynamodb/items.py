"""How the record of a run is written as an item, and the notation of attributes and expressions."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import RunRecord

Item = dict[str, Any]
"""Attribute name -> value in DynamoDB's notation: ``{"S": "text"}``."""

VERSION: Item = {"version": {"N": "1"}}
"""On every item, so that a later version of this package knows what it reads. Unknown attributes are ignored."""

RECORD = {"S": "RECORD"}
ACTIVE_INDEX = "active"
"""The sparse index of runs that are PENDING or RUNNING, by the time they were accepted."""
ACTIVE_SHARDS = 4
"""Its partitions."""

_TEXTS = ("run_id", "session_id", "user_id", "token", "executor", "ending", "error", "request_hash")
_NUMBERS = (
    "accepted_at",
    "attempt",
    "tries",
    "lease_until",
    "cancel_requested_at",
    "ended_at",
    "queued_at",
    "sends",
)
_FLAGS = ("in_session", "logged")


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def names(*expressions: str) -> dict[str, str]:
    """ExpressionAttributeNames of expressions that write every attribute as ``#its_name``: many are reserved words."""
    return {alias: alias[1:] for expression in expressions for alias in re.findall(r"#\w+", expression)}


def record_key(run_id: str) -> Item:
    return {"run_id": text(run_id), "item": RECORD}


def record_item(record: RunRecord) -> Item:
    """The item of a run that is accepted. By ``active_shard`` it stands in the sparse index until the run ends."""
    texts = {name: getattr(record, name) for name in _TEXTS}
    numbers = {name: getattr(record, name) for name in _NUMBERS}
    return {
        **VERSION,
        "item": RECORD,
        "kind": text(record.kind),
        "component": text(record.component_id),
        "status": text(record.status),
        "seals": {"M": {str(attempt): number(index) for attempt, index in record.seals.items()}},
        **{name: {"BOOL": getattr(record, name)} for name in _FLAGS},
        "active_shard": active_shard(record.run_id),
        **{name: text(value) for name, value in texts.items() if value is not None},
        **{name: number(value) for name, value in numbers.items() if value is not None},
    }


def active_shard(run_id: str) -> dict[str, str]:
    """The partition of the index of active runs that this run stands in."""
    return text(str(zlib.crc32(run_id.encode()) % ACTIVE_SHARDS))


def record_of(item: Mapping[str, Any]) -> RunRecord:
    """The record that an item holds."""
    values: dict[str, Any] = {
        **{name: item[name]["S"] for name in _TEXTS if name in item},
        **{name: int(item[name]["N"]) for name in _NUMBERS if name in item},
    }
    values.setdefault("user_id", None)
    return RunRecord(
        kind=Kind(item["kind"]["S"]),
        component_id=item["component"]["S"],
        status=RunStatus(item["status"]["S"]),
        seals={int(attempt): int(index["N"]) for attempt, index in item["seals"]["M"].items()},
        **{name: item[name]["BOOL"] for name in _FLAGS if name in item},
        **values,
    )
