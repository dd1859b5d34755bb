"""The memories that agno sees during one run: as the store has them, and over that what the run has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from agno.db.schemas.memory import UserMemory

from agentos_lambda.engine.to_json import plain
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.memories import DEFAULT_USER, MAX_INPUT, Memory, MemoryChange, is_memory_id, is_too_large


def system_time() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class RunMemories:
    """Reads the memories of a user when they are first asked for, and writes nothing: see ``changes``."""

    def __init__(
        self,
        read: Callable[[str], Sequence[Memory]],
        user_id: str | None,
        now: Callable[[], int] = system_time,
        earlier: Sequence[MemoryChange] = (),
    ) -> None:
        """``read`` blocks. ``user_id``: the run's. ``now`` gives milliseconds since the epoch. ``earlier``: what
        earlier slices of the run have changed."""
        self._read = read
        self._user_id = user_id or DEFAULT_USER
        self._now = now
        self._found: dict[str, dict[str, Memory]] = {}
        self._current: dict[str, dict[str, Memory]] = {}
        self._earlier = {(change.user_id, change.memory_id): change for change in earlier}
        self._lock = asyncio.Lock()
        self.unread = False
        """Whether memories could not be read."""

    async def of(self, user_id: str | None) -> list[Memory]:
        """The memories of this user, or of the run's, the oldest first."""
        return sorted((await self._of(user_id)).values(), key=lambda memory: memory.created_at)

    async def put(self, given: UserMemory) -> Memory:
        """Add the memory, or change the one with its id.

        Raises ``ValueError`` for an id that no memory can have, and for what is too large.
        """
        memories = await self._of(given.user_id)
        memory_id = str(uuid4()) if given.memory_id is None else str(plain(given.memory_id))
        if not is_memory_id(memory_id):
            raise ValueError("This cannot be the id of a memory.")
        before, now = memories.get(memory_id), self._now()
        memory = Memory(
            user_id=given.user_id or self._user_id,
            memory_id=memory_id,
            text=str(plain(given.memory)),
            created_at=now,
            updated_at=now,
            revision=uuid4().hex,
            topics=None if given.topics is None else tuple(str(plain(topic)) for topic in given.topics),
            agent_id=given.agent_id,
            team_id=given.team_id,
            input=given.input and str(plain(given.input))[:MAX_INPUT],
            feedback=given.feedback and str(plain(given.feedback)),
        )
        if is_too_large(memory):
            raise ValueError("The memory is too large.")
        memories[memory_id] = memory if before is None else replace(memory, created_at=before.created_at)
        return memories[memory_id]

    async def remove(self, memory_ids: Sequence[str], user_id: str | None) -> None:
        memories = await self._of(user_id)
        for memory_id in memory_ids:
            memories.pop(memory_id, None)

    async def clear(self) -> None:
        """Remove all memories of the run's user. (agno's databases remove those of all users.)"""
        (await self._of(None)).clear()

    def changes(self) -> tuple[MemoryChange, ...]:
        """What the run has changed in all. A memory's change is that of what the run has seen of it first."""
        changes = {
            (user_id, memory_id): MemoryChange(
                user_id, memory_id, before.revision if before is not None else None, after
            )
            for user_id, found in self._found.items()
            for memory_id in {**found, **self._current[user_id]}
            if (before := found.get(memory_id)) != (after := self._current[user_id].get(memory_id))
        }
        for key, change in self._earlier.items():
            last = (
                self._current[change.user_id].get(change.memory_id)
                if change.user_id in self._current
                else change.memory
            )
            changes[key] = replace(change, memory=last)
        return tuple(changes.values())

    async def _of(self, user_id: str | None) -> dict[str, Memory]:
        user_id = user_id or self._user_id
        async with self._lock:
            if user_id not in self._current:
                try:
                    read = await asyncio.to_thread(self._read, user_id)
                except StoreUnavailable:
                    self.unread = True
                    raise
                self._found[user_id] = {memory.memory_id: memory for memory in read}
                self._current[user_id] = dict(self._found[user_id])
                for change in self._earlier.values():
                    if change.user_id == user_id:
                        self._current[user_id].pop(change.memory_id, None)
                        if change.memory is not None:
                            self._current[user_id][change.memory_id] = change.memory
        return self._current[user_id]


def as_agno(memory: Memory) -> UserMemory:
    """The memory in agno's form, in which times are seconds."""
    return UserMemory(
        memory=memory.text,
        memory_id=memory.memory_id,
        topics=None if memory.topics is None else list(memory.topics),
        user_id=memory.user_id,
        input=memory.input,
        created_at=memory.created_at // 1000,
        updated_at=memory.updated_at // 1000,
        feedback=memory.feedback,
        agent_id=memory.agent_id,
        team_id=memory.team_id,
    )


def as_row(memory: Memory) -> dict[str, Any]:
    """The memory as agno's databases give it where no object is wanted."""
    return vars(as_agno(memory))
