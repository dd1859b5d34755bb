"""What summarises memories in tests, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agentos_lambda.memories.ports import Summarize, Summary
from agentos_lambda.runs.memories import Memory


def _nothing() -> None:
    """What happens meanwhile, unless something does."""


class Joiner:
    """Says all texts, one after the other. ``meanwhile`` happens while it speaks, once."""

    def __init__(self, meanwhile: Callable[[], object] = _nothing, answer: str | Exception | None = None) -> None:
        self.meanwhile = [meanwhile]
        self.answer = answer
        self.asked: list[int] = []
        self.model: str | None = None

    def summarizing(self, model: str | None) -> Summarize:
        self.model = model
        return self.summarize

    async def summarize(self, memories: Sequence[Memory]) -> Summary:
        self.asked.append(len(memories))
        if self.meanwhile:
            await asyncio.to_thread(self.meanwhile.pop())
        if isinstance(self.answer, Exception):
            raise self.answer
        text = self.answer or " ".join(sorted(memory.text for memory in memories))
        return Summary(text, ["all"], "writer", None, 10 * len(memories), 7)
