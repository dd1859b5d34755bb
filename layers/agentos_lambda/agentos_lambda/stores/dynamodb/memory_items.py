"""The items of the table of memories: each memory, and one item of the user with their number."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from agentos_lambda.runs.memories import Memory
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.rules import json_text

BY_TIME = "by_time"
"""The local index of a user's memories by their last change."""
BY_ID = "by_id"
"""The index by id, for requests that name no user."""
BY_CHANGE = "by_change"
"""The index of all memories by their last change."""
USERS = "users"
"""The index of users by the last change of their memories."""
MEMORY_SHARDS = 4
"""Partitions of the indexes that are not of one user: 1,000 changes a second write 500 units a second to each."""

_USER = "USER"
_MEMORY = "MEMORY#"


def user_key(user_id: str) -> Item:
    return {"user_id": text(user_id), "item": text(_USER)}


def memory_key(user_id: str, memory_id: str) -> Item:
    return {"user_id": text(user_id), "item": text(_MEMORY + memory_id)}


def is_user(item: Mapping[str, Any]) -> bool:
    """Whether the item is that of a user, and not a memory."""
    return bool(item["item"]["S"] == _USER)


def shard_of(value: str) -> Item:
    return text(str(zlib.crc32(value.encode()) % MEMORY_SHARDS))


def memory_item(memory: Memory) -> Item:
    return {
        **VERSION,
        **memory_key(memory.user_id, memory.memory_id),
        "memory_id": text(memory.memory_id),
        "revision": text(memory.revision),
        "updated_at": number(memory.updated_at),
        "memory_shard": shard_of(memory.memory_id),
        "memory": {"B": gzip.compress(json_text(memory.to_json()).encode(), mtime=0)},
    }


def memory_of(item: Mapping[str, Any]) -> Memory:
    """The memory in an item."""
    return Memory.from_json(json.loads(gzip.decompress(item["memory"]["B"])))
