"""All memories of a user, summarised in one (the AgentOS 3.1 API)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentos_lambda.memories.ports import MemoryDirectory, Summarizer, Summary
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import Conflict, ModelFailed, NotFound, NotStorable
from agentos_lambda.runs.memories import Memory, MemoryChange, is_too_large

_TRIES = 3
"""How often others may change the memories first. Each try asks the model again."""


@dataclass(frozen=True, slots=True)
class Optimized:
    """What has become of the memories, or would become of them."""

    memory: Memory
    before: int
    """How many there were."""
    tokens_before: int
    tokens_after: int

    @property
    def tokens_saved(self) -> int:
        """0 if the summary is the longer one."""
        return max(0, self.tokens_before - self.tokens_after)

    @property
    def reduction_percentage(self) -> float:
        return self.tokens_saved / self.tokens_before * 100 if self.tokens_before else 0.0


class MemoryOptimizer:
    """Replaces memories by their summary: all at once, and only while they are as the model has read them."""

    def __init__(
        self,
        directory: MemoryDirectory,
        summarizer: Callable[[], Summarizer],
        clock: Clock,
        *,
        new_id: Callable[[], str],
    ) -> None:
        """``summarizer`` may take long: it is called off the event loop."""
        self._directory = directory
        self._summarizer = summarizer
        self._clock = clock
        self._new_id = new_id

    async def optimize(self, user_id: str, *, model: str | None, apply: bool, seconds: float) -> Optimized:
        """Say the user's memories in one; without ``apply``, only show how.

        Raises ``NotFound`` if there are none, ``Conflict`` if they change all the time, ``InvalidRequest`` for what
        names no model, and ``ModelFailed``, also if all takes longer than ``seconds``. Nothing has changed then.
        """
        until = asyncio.get_running_loop().time() + seconds
        summarize = (await asyncio.to_thread(self._summarizer)).summarizing(model)
        for _ in range(_TRIES):
            found = await asyncio.to_thread(self._directory.memories_of, user_id)
            memories = sorted(found, key=lambda memory: memory.created_at)
            if not memories:
                raise NotFound(f"No memories found for user {user_id}")
            try:
                async with asyncio.timeout_at(until):
                    summary = await summarize(memories)
            except TimeoutError as error:
                raise ModelFailed("The model takes too long.") from error
            memory = self._memory(user_id, summary)
            if not apply or await asyncio.to_thread(self._replace, memories, memory):
                return Optimized(memory, len(memories), summary.tokens_before, summary.tokens)
        raise Conflict("The memories change too quickly")

    def _memory(self, user_id: str, summary: Summary) -> Memory:
        now = self._clock.now()
        memory = Memory(
            user_id=user_id,
            memory_id=self._new_id(),
            text=summary.text,
            created_at=now,
            updated_at=now,
            revision=self._new_id(),
            topics=None if summary.topics is None else tuple(summary.topics),
            agent_id=summary.agent_id,
            team_id=summary.team_id,
        )
        if is_too_large(memory):
            raise NotStorable("The summary is too large.")
        return memory

    def _replace(self, memories: Sequence[Memory], by: Memory) -> bool:
        removed = [MemoryChange(each.user_id, each.memory_id, each.revision, None) for each in memories]
        added = MemoryChange(by.user_id, by.memory_id, None, by)
        return self._directory.change_memories([*removed, added], now=by.updated_at)
