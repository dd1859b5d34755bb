"""Memories said in one by a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from agno.models.base import Model
from agno.models.response import ModelResponse

from agentos_lambda.engine import summaries
from agentos_lambda.memories.ports import Summary
from agentos_lambda.runs.errors import InvalidRequest, ModelFailed
from agentos_lambda.runs.memories import Memory
from tests.engine.playing import engine_of


def memory(text: str, *topics: str, agent_id: str | None = "clerk") -> Memory:
    return Memory("ada", text, text, 1, 1, "r", topics or None, agent_id=agent_id)


def summary_of(*memories: Memory, model: str | None = None) -> Summary:
    return asyncio.run(engine_of().summarizing(model)(memories))  # type: ignore[arg-type]  # it is a coroutine


def test_the_deployment_s_model_is_told_all_memories() -> None:
    made = summary_of(memory("likes tea", "drinks", "b"), memory("has a dog", "pets", "drinks"))

    assert made.text == (
        "I am the demo model, and you said: Summarize these memories into a single summary:\n\n"
        "Memory 1: likes tea\n\nMemory 2: has a dog"
    )
    assert (made.topics, made.agent_id, made.team_id) == (["b", "drinks", "pets"], "clerk", None)
    assert made.tokens > made.tokens_before > 0


def test_memories_of_several_agents_become_nobody_s() -> None:
    made = summary_of(memory("likes tea"), memory("has a dog", agent_id="another"))

    assert (made.topics, made.agent_id) == (None, None)


@pytest.mark.parametrize("model", ["banana", "nope:x"])
def test_what_names_no_model_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequest, match=r"Invalid model string format: 'banana'|'nope' is not supported"):
        summary_of(memory("likes tea"), model=model)


def test_a_model_whose_package_is_missing_is_named() -> None:
    with pytest.raises(ModelFailed, match="cohere"):
        summary_of(memory("likes tea"), model="cohere:command-a")


def test_a_model_that_fails_says_why() -> None:
    with pytest.raises(ModelFailed, match=r"^out of order$"):
        summary_of(memory("[fail out of order]"))


@dataclass
class Silent(Model):
    id: str = "silent"
    words: str = "  \n"

    def invoke(self, *_: Any, **__: Any) -> ModelResponse:
        return ModelResponse(role="assistant", content=self.words)

    async def ainvoke(self, *_: Any, **__: Any) -> ModelResponse:
        return self.invoke()

    def invoke_stream(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def ainvoke_stream(self, *_: Any, **__: Any) -> AsyncIterator[ModelResponse]:
        raise NotImplementedError

    def _parse_provider_response(self, response: Any, **_: Any) -> ModelResponse:
        raise NotImplementedError

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        raise NotImplementedError


def test_silence_is_no_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "default_model", Silent)

    with pytest.raises(ModelFailed, match="said nothing"):
        summary_of(memory("likes tea"))
