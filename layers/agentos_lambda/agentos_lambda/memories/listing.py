"""Pages of memories. An index answers in the order of the last change; anything else is found among the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentos_lambda.memories.ports import MemoryDirectory
from agentos_lambda.runs.memories import Memory, MemoryFilter, MemoryOwner

WINDOW = 1_000
"""How many of the newest memories, or users, a list looks at that is filtered, or sorted by something else."""

_SORT_KEYS: dict[str, Callable[[Memory], Any]] = {
    "created_at": lambda memory: memory.created_at,
    "memory_id": lambda memory: memory.memory_id,
    "memory": lambda memory: memory.text,
    "user_id": lambda memory: memory.user_id,
    "agent_id": lambda memory: memory.agent_id or "",
    "team_id": lambda memory: memory.team_id or "",
}
"""What a list can be sorted by besides the last change. Anything else counts for that."""


@dataclass(frozen=True, slots=True)
class MemoryQuery:
    """A page of a list. Pages count from 1."""

    user_id: str | None = None
    filter: MemoryFilter = field(default_factory=MemoryFilter)
    limit: int = 20
    page: int = 1
    sort_by: str = "updated_at"
    ascending: bool = False

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """A page, and how many memories the list has in all."""

    memories: Sequence[Memory]
    total: int


def page_of(directory: MemoryDirectory, query: MemoryQuery) -> MemoryPage:
    """The page that the query asks for."""
    if query.filter.takes_all and query.sort_by not in _SORT_KEYS:
        total = _total(directory, query.user_id)
        if query.offset >= total:
            return MemoryPage((), total)
        newest = directory.newest_memories(query.user_id, limit=query.offset + query.limit, ascending=query.ascending)
        return MemoryPage(newest[query.offset :], total)
    newest = directory.newest_memories(query.user_id, limit=WINDOW)
    key = _SORT_KEYS.get(query.sort_by, lambda memory: memory.updated_at)
    found = sorted(filter(query.filter.takes, newest), key=key, reverse=not query.ascending)
    return MemoryPage(found[query.offset : query.offset + query.limit], len(found))


def topics_of(directory: MemoryDirectory, user_id: str | None) -> list[str]:
    """The topics of the newest memories, each once."""
    newest = directory.newest_memories(user_id, limit=WINDOW)
    return sorted({topic for memory in newest for topic in memory.topics or ()})


def owners(directory: MemoryDirectory, user_id: str | None) -> list[MemoryOwner]:
    """The users with memories, or only this one; those first whose memories were changed last."""
    if user_id is None:
        return list(directory.users_with_memories(limit=WINDOW))
    total = directory.memory_count(user_id)
    return [
        MemoryOwner(user_id, total, memory.updated_at)
        for memory in (directory.newest_memories(user_id, limit=1) if total else ())
    ]


def _total(directory: MemoryDirectory, user_id: str | None) -> int:
    if user_id is not None:
        return directory.memory_count(user_id)
    return sum(owner.total for owner in directory.users_with_memories(limit=WINDOW))
