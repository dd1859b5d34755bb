"""The models of each provider with its own client, which finds the provider by the environment and asks once.

Clients and models are imported when they are made: all together take seconds, in each process that looks for tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from agno.models.base import Model

from tests.providers.anthropic_dialect import BedrockMessages, Messages
from tests.providers.dialects import Bedrock, Call, Dialect, Turn
from tests.providers.gemini_dialect import Gemini
from tests.providers.openai_dialects import Chat, Responses

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAnthropicBedrock
    from google.genai import Client as GeminiClient
    from openai import AsyncOpenAI

GREETING = Turn(texts=("Good ", "morning"))
SUMS = Turn(calls=(Call("call_1", "add", {"a": 2, "b": 3}), Call("call_2", "add", {"a": 4, "b": 5})))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def model_of(name: str, **options: Any) -> Model:
    """One of agno's, such as ``openai:OpenAIChat``."""
    model: Model = resolve_name(f"agno.models.{name}")(**options)
    return model


class Clients:
    """Clients that somebody closes: one of agno's own would be closed by nobody. Each is made when it is needed."""

    @cached_property
    def openai(self) -> AsyncOpenAI:
        client: AsyncOpenAI = resolve_name("openai:AsyncOpenAI")(max_retries=0)
        assert client.responses  # imported here, which takes seconds, and not while a run's time is measured
        return client

    @cached_property
    def anthropic(self) -> AsyncAnthropic:
        client: AsyncAnthropic = resolve_name("anthropic:AsyncAnthropic")(max_retries=0)
        return client

    @cached_property
    def anthropic_bedrock(self) -> AsyncAnthropicBedrock:
        client: AsyncAnthropicBedrock = resolve_name("anthropic:AsyncAnthropicBedrock")(max_retries=0)
        return client

    @cached_property
    def gemini(self) -> GeminiClient:
        client: GeminiClient = resolve_name("google.genai:Client")()
        return client

    async def close(self) -> None:
        made = vars(self)
        for name in made.keys() & {"openai", "anthropic", "anthropic_bedrock"}:
            await made[name].close()
        if "gemini" in made:
            await self.gemini.aio.aclose()
            self.gemini.close()


PROVIDERS: dict[str, tuple[Dialect, Callable[[Clients], Model]]] = {
    "bedrock": (Bedrock(), lambda _: model_of("aws.bedrock:AwsBedrock", id="amazon.nova-lite-v1:0")),
    "openai-chat": (
        Chat(),
        lambda clients: model_of("openai:OpenAIChat", id="gpt-5-mini", async_client=clients.openai),
    ),
    "openai-responses": (
        Responses(),
        lambda clients: model_of("openai:OpenAIResponses", id="gpt-5-mini", async_client=clients.openai),
    ),
    "anthropic": (
        Messages(),
        lambda clients: model_of("anthropic:Claude", id="claude-tested", async_client=clients.anthropic),
    ),
    "anthropic-bedrock": (
        BedrockMessages(),
        lambda clients: model_of(
            "aws.claude:Claude", id="anthropic.claude-tested-v1:0", async_client=clients.anthropic_bedrock
        ),
    ),
    "gemini": (Gemini(), lambda clients: model_of("google:Gemini", id="gemini-2.5-flash", client=clients.gemini)),
}
