"""Agents with each provider's own model and client, against a server that speaks the provider's wire format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from agno.agent import Agent
from agno.models.aws.bedrock import AwsBedrock
from agno.models.base import Model
from agno.models.openai import OpenAIChat, OpenAIResponses
from openai import AsyncOpenAI

from agentos_lambda.protocol.values import Event, RunStatus
from tests.engine.playing import Played, cancelling_at, engine_of, play, request_of
from tests.engine.samples import add
from tests.providers.dialects import READ, WRITTEN, Bedrock, Call, Dialect, Trouble, Turn
from tests.providers.openai_dialects import Chat, Responses
from tests.providers.server import Line, Provider

PROVIDERS: dict[str, tuple[Dialect, Callable[[AsyncOpenAI], Model]]] = {
    "bedrock": (Bedrock(), lambda _: AwsBedrock(id="amazon.nova-lite-v1:0")),
    "openai-chat": (Chat(), lambda client: OpenAIChat(id="gpt-5-mini", async_client=client)),
    "openai-responses": (Responses(), lambda client: OpenAIResponses(id="gpt-5-mini", async_client=client)),
}
GREETING = Turn(texts=("Good ", "morning"))
SUMS = Turn(calls=(Call("call_1", "add", {"a": 2, "b": 3}), Call("call_2", "add", {"a": 4, "b": 5})))
EACH = pytest.mark.parametrize("name", PROVIDERS)
STREAM = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


Playing = Callable[..., Played]


@pytest.fixture
def playing(provider: Provider) -> Iterator[Playing]:
    """Plays a run of an agent with the named model. All runs of a test share an event loop, as in a function."""
    with asyncio.Runner() as loop:
        openai = AsyncOpenAI(max_retries=0)  # a client of agno's own would be closed by nobody

        def playing(name: str, *, stream: bool = True, **options: object) -> Played:
            agent = Agent(id="a", model=PROVIDERS[name][1](openai), tools=[add])
            return play(engine_of(agent), request_of("agent/a", "hello", stream=stream), loop=loop, **options)

        yield playing
        loop.run(openai.close())


def texts(played: Played) -> list[str]:
    return [event["content"] for event in played.events if event["event"] == "RunContent" and event.get("content")]


def set_answers(provider: Provider, name: str, *turns: Turn, stream: bool) -> None:
    dialect = PROVIDERS[name][0]
    provider.answers = [dialect.stream(turn) if stream else dialect.whole(turn) for turn in turns]


@EACH
@STREAM
def test_an_answer_is_the_content_of_the_run_and_its_tokens_are_counted(
    provider: Provider, playing: Playing, name: str, stream: bool
) -> None:
    set_answers(provider, name, GREETING, stream=stream)
    played = playing(name, stream=stream)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "Good morning")
    metrics = played.outcome.output.run["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"]) == (READ, WRITTEN)
    assert len(provider.asked) == 1
    if stream:
        assert texts(played) == ["Good ", "morning"]


@EACH
@STREAM
def test_tools_are_called_in_parallel_over_several_turns(
    provider: Provider, playing: Playing, name: str, stream: bool
) -> None:
    set_answers(provider, name, SUMS, SUMS, GREETING, stream=stream)
    played = playing(name, stream=stream)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "Good morning")
    dialect = PROVIDERS[name][0]
    assert dialect.results(provider.asked[1].body) == ["5", "9"]
    assert dialect.results(provider.asked[2].body)[-2:] == ["5", "9"]
    assert played.outcome.output.run["metrics"]["total_tokens"] == 3 * (READ + WRITTEN)


@EACH
@STREAM
@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_refusal_ends_the_run_as_an_error_that_is_asked_for_once(
    provider: Provider, playing: Playing, name: str, status: int, stream: bool
) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    provider.answers = [PROVIDERS[name][0].refusal(status, "No entry today", headers)]
    played = playing(name, stream=stream)

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error
    assert "Traceback" not in played.outcome.error
    assert len(provider.asked) == 1
    if stream:
        assert played.names[-1] == "RunError"


@EACH
def test_an_error_in_the_middle_of_a_stream_ends_the_run_with_its_text(
    provider: Provider, playing: Playing, name: str
) -> None:
    provider.answers = [PROVIDERS[name][0].stream(GREETING, Trouble(error="Out of order"))]
    played = playing(name)

    assert texts(played) == ["Good ", "morning"]
    assert played.outcome.status is RunStatus.ERROR
    assert len(provider.asked) == 1


@EACH
def test_a_line_that_is_cut_ends_the_run_as_an_error(provider: Provider, playing: Playing, name: str) -> None:
    provider.answers = [PROVIDERS[name][0].stream(GREETING, Trouble(line=Line.CUT))]
    played = playing(name)

    assert texts(played) == ["Good ", "morning"]
    assert played.outcome.status is RunStatus.ERROR
    assert len(provider.asked) == 1


@EACH
def test_a_cancel_during_a_silence_stops_the_providers_stream_within_two_seconds(
    provider: Provider, playing: Playing, name: str
) -> None:
    provider.answers = [PROVIDERS[name][0].stream(GREETING, Trouble(line=Line.SILENCE))]
    cancelled_at: list[float] = []

    def seeing(event: Event, run: object) -> None:
        if event.get("content") == "morning":
            cancelled_at.append(time.monotonic())
            cancelling_at("RunContent")(event, run)

    played = playing(name, seeing=seeing)

    assert provider.abandoned.wait(2)
    assert time.monotonic() - cancelled_at[0] < 2
    assert (played.outcome.status, played.content) == (RunStatus.CANCELLED, "Good morning")


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses"])
@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:Components-AbC", ["secret Components-AbC"]),
        ("", ["shell that starts `make run`"]),
    ],
    ids=["on AWS", "locally"],
)
def test_a_missing_key_ends_the_run_with_the_command_that_sets_it(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str, secret: str, told: list[str]
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("COMPONENTS_SECRET", secret)
    model = OpenAIChat(id="m") if name == "openai-chat" else OpenAIResponses(id="m")
    played = play(engine_of(Agent(id="a", model=model)), request_of("agent/a", "hello"))

    assert played.outcome.status is RunStatus.ERROR
    for words in ("OPENAI_API_KEY is not set", "make secret NAME=OPENAI_API_KEY", *told):
        assert words in played.outcome.error
    assert "123456789012" not in played.outcome.error
    assert provider.asked == []
