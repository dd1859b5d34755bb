"""The memories of users, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from agentos_lambda.runs.memories import Memory, MemoryChange, MemoryOwner


class MemoriesInMemory:
    """Implements ``runs.ports.UserMemories`` and ``memories.ports.MemoryDirectory``.

    Who calls ``unfit`` or ``apply`` holds the lock that it shares with its owner.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._users: dict[str, dict[str, Memory]] = {}
        self._changed_at: dict[str, int] = {}

    def unfit(self, changes: Iterable[MemoryChange]) -> list[MemoryChange]:
        """The changes of memories that somebody else has changed."""
        return [each for each in changes if not each.counts(self._users.get(each.user_id, {}).get(each.memory_id))]

    def apply(self, changes: Iterable[MemoryChange], *, now: int) -> None:
        for change in changes:
            memories = self._users.setdefault(change.user_id, {})
            self._changed_at[change.user_id] = now
            if change.memory is None:
                del memories[change.memory_id]
            else:
                memories[change.memory_id] = change.memory

    def memories_of(self, user_id: str) -> Sequence[Memory]:
        with self._lock:
            return list(self._users.get(user_id, {}).values())

    def memory_count(self, user_id: str) -> int:
        return len(self.memories_of(user_id))

    def find_memory(self, memory_id: str, user_id: str | None) -> Memory | None:
        return next((memory for memory in self._of(user_id) if memory.memory_id == memory_id), None)

    def newest_memories(self, user_id: str | None, *, limit: int, ascending: bool = False) -> Sequence[Memory]:
        return sorted(self._of(user_id), key=lambda memory: memory.updated_at, reverse=not ascending)[:limit]

    def users_with_memories(self, *, limit: int) -> Sequence[MemoryOwner]:
        with self._lock:
            owners = [
                MemoryOwner(user_id, len(memories), self._changed_at[user_id])
                for user_id, memories in self._users.items()
                if memories
            ]
        return sorted(owners, key=lambda owner: owner.changed_at, reverse=True)[:limit]

    def change_memories(self, changes: Sequence[MemoryChange], *, now: int) -> bool:
        with self._lock:
            if self.unfit(changes):
                return False
            self.apply(changes, now=now)
            return True

    def _of(self, user_id: str | None) -> Sequence[Memory]:
        if user_id is not None:
            return self.memories_of(user_id)
        with self._lock:
            return [memory for memories in self._users.values() for memory in memories.values()]
