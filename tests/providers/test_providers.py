"""Agents with each provider's own model and client, against a server that speaks the provider's wire format."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pkgutil import resolve_name

import pytest
from agno.agent import Agent
from agno.models.base import Model
from agno.workflow import Step, Workflow

from agentos_lambda.protocol.values import Event, RunStatus
from tests.engine.playing import Played, cancelling_at, engine_of, play, request_of
from tests.providers.dialects import READ, WRITTEN, Trouble, Turn
from tests.providers.environment import Playing
from tests.providers.models import GREETING, PROVIDERS, SUMS, Clients, model_of
from tests.providers.server import Line, Provider

EACH = pytest.mark.parametrize("name", PROVIDERS)
STREAM = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


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
    assert ("Bedrock failed to answer" if name == "bedrock" else "Out of order") in played.outcome.error
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


KEYS: dict[str, tuple[Callable[[], Model], str]] = {
    "openai-chat": (lambda: model_of("openai:OpenAIChat", id="m"), "OPENAI_API_KEY"),
    "openai-responses": (lambda: model_of("openai:OpenAIResponses", id="m"), "OPENAI_API_KEY"),
    "anthropic": (lambda: model_of("anthropic:Claude", id="m"), "ANTHROPIC_API_KEY"),
    "gemini": (lambda: model_of("google:Gemini", id="m"), "GOOGLE_API_KEY"),
}


TOLD = {
    "on AWS": ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:Components-AbC", "secret Components-AbC"),
    "locally": ("", "shell that starts `make run`"),
}
"""Where -> the secret's ARN, and what else the error says."""


@pytest.mark.parametrize("name", KEYS)
@STREAM
@pytest.mark.parametrize("place", TOLD)
def test_a_missing_key_ends_the_run_with_the_command_that_sets_it(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str, stream: bool, place: str
) -> None:
    make, key = KEYS[name]
    secret, told = TOLD[place]
    monkeypatch.delenv(key)
    monkeypatch.setenv("COMPONENTS_SECRET", secret)
    played = play(engine_of(Agent(id="a", model=make())), request_of("agent/a", "hello", stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    for words in (f"{key} is not set", f"make secret NAME={key}", told):
        assert words in played.outcome.error
    assert "123456789012" not in played.outcome.error
    assert provider.asked == []


@pytest.mark.parametrize("name", ["openai-chat", "anthropic", "gemini"])
def test_a_key_that_the_provider_refuses_is_not_called_missing(provider: Provider, playing: Playing, name: str) -> None:
    provider.answers = [PROVIDERS[name][0].refusal(401, "No entry today")]

    assert "No entry today" in playing(name).outcome.error


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Out of order", "param": None},
        {"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "Out of order"}},
        {
            "type": "response.failed",
            "response": {"status": "failed", "error": {"code": "server_error", "message": "Out of order"}},
        },
    ],
    ids=["flat", "nested", "failed"],
)
def test_each_form_of_an_error_in_a_stream_of_responses_ends_the_run(
    provider: Provider, playing: Playing, event: dict[str, object]
) -> None:
    begun = PROVIDERS["openai-responses"][0].stream(GREETING, Trouble())
    last = f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': 9})}\n\n".encode()
    provider.answers = [replace(begun, pieces=[*begun.pieces, last])]
    played = playing("openai-responses")

    assert texts(played) == ["Good ", "morning"]
    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "Out of order"


def test_a_step_that_fails_is_repeated_three_times_by_agno(provider: Provider) -> None:
    provider.answers = [PROVIDERS["openai-chat"][0].refusal(500, "Out of order")]
    with asyncio.Runner() as loop:
        clients = Clients()
        step = Step(name="s", agent=Agent(name="s", model=PROVIDERS["openai-chat"][1](clients)))
        workflow = Workflow(id="w", name="w", steps=[step])
        play(engine_of(workflow), request_of("workflow/w", "hello"), loop=loop)
        loop.run(clients.close())

    assert len(provider.asked) == 4


@pytest.mark.usefixtures("provider")
def test_the_clients_repeat_a_call_as_often_as_the_documents_say() -> None:
    clients = ("openai:AsyncOpenAI", "anthropic:AsyncAnthropic", "anthropic:AsyncAnthropicBedrock")
    assert [resolve_name(client)().max_retries for client in clients] == [2, 2, 2]
