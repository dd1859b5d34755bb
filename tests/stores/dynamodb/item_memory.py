"""A table of sessions in memory that answers reads as DynamoDB does, and counts what they cost.

For more items than a local cloud takes in a second. What it cannot do raises.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_UNIT = 4096
"""Bytes of a read unit: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""
_PAGE = 1024 * 1024
"""Bytes that a Query reads at most."""

Item = Mapping[str, Any]


@dataclass
class Spent:
    """What reads cost."""

    requests: Counter[str] = field(default_factory=Counter)
    units: float = 0
    bytes: int = 0
    """Of items that were read."""


class ItemMemory:
    """The methods of a client of DynamoDB that read sessions."""

    def __init__(self, items: Iterable[Item], *, projected: Iterable[str]) -> None:
        """``projected``: the attributes that the indexes hold besides their keys."""
        self._items = {(item["session_id"]["S"], item["item"]["S"]): item for item in items}
        self._projected = {*projected, "session_id", "item", "created_at"}
        self._partitions: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in sorted(self._items.values(), key=lambda each: int(each.get("created_at", {"N": 0})["N"])):
            for attribute in ("kind_shard", "component_shard", "kind_user"):
                if attribute in item:
                    self._partitions[attribute, item[attribute]["S"]].append(item)
        self.spent = Spent()

    def query(self, **request: Any) -> dict[str, Any]:
        """A Query of an index for a whole partition."""
        condition = re.fullmatch(r"(#\w+) = (:\w+)", request["KeyConditionExpression"])
        assert condition is not None
        assert "IndexName" in request
        attribute = request["ExpressionAttributeNames"][condition[1]]
        rows = self._partitions[attribute, request["ExpressionAttributeValues"][condition[2]]["S"]]
        ordered = rows if request["ScanIndexForward"] else rows[::-1]
        found = [
            {name: value for name, value in item.items() if name in {*self._projected, attribute}}
            for item in ordered[: request.get("Limit")]
        ]
        read = sum(map(_size, found))
        assert read < _PAGE
        self._spend("Query", read, 0.5 * -(-read // _UNIT))
        more = {"LastEvaluatedKey": {"session_id": found[-1]["session_id"]}} if len(found) < len(rows) else {}
        return {"Items": found, **more}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """A BatchGetItem of one table."""
        [(table, wanted)] = request["RequestItems"].items()
        assert len(wanted["Keys"]) <= 100
        keys = [(key["session_id"]["S"], key["item"]["S"]) for key in wanted["Keys"]]
        found = [self._items[key] for key in keys if key in self._items]
        each = 1 if wanted["ConsistentRead"] else 0.5
        units = sum(each * max(1, -(-_size(item) // _UNIT)) for item in found)
        self._spend("BatchGetItem", sum(map(_size, found)), units)
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _spend(self, request: str, read: int, units: float) -> None:
        self.spent.requests[request] += 1
        self.spent.bytes += read
        self.spent.units += units


def _size(item: Item) -> int:
    """Bytes, about: of names and values."""
    return sum(len(name) + sum(len(str(each)) for each in value.values()) for name, value in item.items())
