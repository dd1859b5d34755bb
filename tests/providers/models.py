"""The models of each provider with its own client, which finds the provider by the environment and asks once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from agno.models.anthropic import Claude
from agno.models.aws.bedrock import AwsBedrock
from agno.models.aws.claude import Claude as AwsClaude
from agno.models.base import Model
from agno.models.google import Gemini as GeminiModel
from agno.models.openai import OpenAIChat, OpenAIResponses
from anthropic import AsyncAnthropic, AsyncAnthropicBedrock
from google.genai import Client as GeminiClient
from openai import AsyncOpenAI

from tests.providers.anthropic_dialect import BedrockMessages, Messages
from tests.providers.dialects import Bedrock, Call, Dialect, Turn
from tests.providers.gemini_dialect import Gemini
from tests.providers.openai_dialects import Chat, Responses

GREETING = Turn(texts=("Good ", "morning"))
SUMS = Turn(calls=(Call("call_1", "add", {"a": 2, "b": 3}), Call("call_2", "add", {"a": 4, "b": 5})))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Clients:
    """Clients that somebody closes: one of agno's own would be closed by nobody. Each is made when it is needed."""

    @cached_property
    def openai(self) -> AsyncOpenAI:
        client = AsyncOpenAI(max_retries=0)
        assert client.responses  # imported here, which takes seconds, and not while a run's time is measured
        return client

    @cached_property
    def anthropic(self) -> AsyncAnthropic:
        return AsyncAnthropic(max_retries=0)

    @cached_property
    def anthropic_bedrock(self) -> AsyncAnthropicBedrock:
        return AsyncAnthropicBedrock(max_retries=0)

    @cached_property
    def gemini(self) -> GeminiClient:
        return GeminiClient()

    async def close(self) -> None:
        made = vars(self)
        for name in made.keys() & {"openai", "anthropic", "anthropic_bedrock"}:
            await made[name].close()
        if "gemini" in made:
            await self.gemini.aio.aclose()
            self.gemini.close()


PROVIDERS: dict[str, tuple[Dialect, Callable[[Clients], Model]]] = {
    "bedrock": (Bedrock(), lambda _: AwsBedrock(id="amazon.nova-lite-v1:0")),
    "openai-chat": (Chat(), lambda clients: OpenAIChat(id="gpt-5-mini", async_client=clients.openai)),
    "openai-responses": (Responses(), lambda clients: OpenAIResponses(id="gpt-5-mini", async_client=clients.openai)),
    "anthropic": (Messages(), lambda clients: Claude(id="claude-tested", async_client=clients.anthropic)),
    "anthropic-bedrock": (
        BedrockMessages(),
        lambda clients: AwsClaude(id="anthropic.claude-tested-v1:0", async_client=clients.anthropic_bedrock),
    ),
    "gemini": (Gemini(), lambda clients: GeminiModel(id="gemini-2.5-flash", client=clients.gemini)),
}
