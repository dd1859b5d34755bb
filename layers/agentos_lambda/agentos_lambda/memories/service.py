"""Memories as requests see them (the AgentOS 3.1 API)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from agentos_lambda.memories.listing import MemoryPage, MemoryQuery, owners, page_of, topics_of
from agentos_lambda.memories.ports import MemoryDirectory
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import InvalidRequest, NotFound, NotStorable, StoreUnavailable
from agentos_lambda.runs.memories import MAX_CHANGES, Memory, MemoryChange, MemoryOwner, is_memory_id, is_too_large

_TRIES = 5
"""How often others may change the same memories first."""

_Answer = TypeVar("_Answer")


class MemoryService:
    """Each method may raise ``StoreUnavailable``."""

    def __init__(self, directory: MemoryDirectory, clock: Clock, *, new_id: Callable[[], str]) -> None:
        self._directory = directory
        self._clock = clock
        self._new_id = new_id

    def create(self, user_id: str, text: str, topics: Sequence[str]) -> Memory:
        return self.update(self._new_id(), user_id, text, topics)

    def update(
        self, memory_id: str, user_id: str, text: str, topics: Sequence[str], *, isolated: bool = False
    ) -> Memory:
        """Replace the memory, whose owner stays; add it to those of ``user_id`` if there is none with this id.

        ``isolated``: only a memory of this user, which has to be there: else raises ``NotFound``. Raises
        ``InvalidRequest`` for an id that no memory can have, ``NotStorable`` for what is too large.
        """
        if not is_memory_id(memory_id):
            raise InvalidRequest("This cannot be the id of a memory")

        def change() -> tuple[list[MemoryChange], Memory]:
            there = self._directory.find_memory(memory_id, user_id)
            if there is None and isolated:
                raise NotFound("Memory not found")
            there = there or self._directory.find_memory(memory_id, None)
            now = self._clock.now()
            memory = Memory(
                user_id=user_id if there is None else there.user_id,
                memory_id=memory_id,
                text=text,
                created_at=now if there is None else there.created_at,
                updated_at=now,
                revision=self._new_id(),
                topics=tuple(topics),
            )
            if is_too_large(memory):
                raise NotStorable("The memory is too large.")
            return [MemoryChange(memory.user_id, memory_id, None if there is None else there.revision, memory)], memory

        return self._changed(change)

    def get(self, memory_id: str, user_id: str | None) -> Memory:
        """The memory of this user, or of any. Raises ``NotFound``."""
        memory = self._directory.find_memory(memory_id, user_id) if is_memory_id(memory_id) else None
        if memory is None:
            raise NotFound(f"Memory with ID {memory_id} not found")
        return memory

    def delete(self, memory_ids: Iterable[str], user_id: str | None) -> None:
        """Remove the memories, of this user or of any. What is not there is removed already."""
        every = list(dict.fromkeys(filter(is_memory_id, memory_ids)))
        for some in (every[start : start + MAX_CHANGES] for start in range(0, len(every), MAX_CHANGES)):

            def change(some: Sequence[str] = some) -> tuple[list[MemoryChange], None]:
                found = [self._directory.find_memory(memory_id, user_id) for memory_id in some]
                return [MemoryChange(each.user_id, each.memory_id, each.revision, None) for each in found if each], None

            self._changed(change)

    def topics(self, user_id: str | None) -> Sequence[str]:
        """The topics of the newest 1,000 memories."""
        return topics_of(self._directory, user_id)

    def owners(self, user_id: str | None) -> Sequence[MemoryOwner]:
        """The users with memories, at most 1,000."""
        return owners(self._directory, user_id)

    def list(self, query: MemoryQuery) -> MemoryPage:
        return page_of(self._directory, query)

    def _changed(self, change: Callable[[], tuple[Sequence[MemoryChange], _Answer]]) -> _Answer:
        """Make the changes that ``change`` gives, which is asked again if somebody else came first."""
        for _ in range(_TRIES):
            changes, answer = change()
            if not changes or self._directory.change_memories(changes, now=self._clock.now()):
                return answer
        raise StoreUnavailable("The memories change too quickly.")
