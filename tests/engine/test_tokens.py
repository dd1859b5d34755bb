"""The tokens that a run has used: those of all models, however it ends."""

from __future__ import annotations

import asyncio

import pytest
from agno.agent import Agent
from agno.metrics import MessageMetrics
from agno.models.response import ModelResponse

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.engine.tokens import TokenCount
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.usage import Usage
from tests.engine.playing import Played, engine_of, play, request_of


def used(engine: AgnoEngine, component: str, message: str, *, stream: bool = True) -> tuple[Usage, Played]:
    runs: list[AgnoRun] = []
    played = play(engine, request_of(component, message, stream=stream), first=runs.append)
    return runs[0].used(), played


def told(played: Played) -> Usage:
    """What agno itself says of each request to a model, where the run is streamed."""
    events = [event for event in played.events if event["event"].endswith("ModelRequestCompleted")]
    return Usage(*(sum(event[f"{which}_tokens"] for event in events) for which in ("input", "output")))


@pytest.mark.parametrize(
    ("component", "message"),
    [
        ("agent/assistant", "add 2 and 3"),
        ("team/newsroom", "ask writer: a headline"),
        ("workflow/letter", "hi"),
    ],
)
def test_the_models_of_all_parts_are_counted_streamed_or_not(engine, component, message):
    streamed, played = used(engine, component, message)
    whole, _ = used(engine, component, message, stream=False)
    assert streamed == told(played) == whole
    assert streamed.input_tokens > 0
    assert streamed.output_tokens > 0


def test_a_team_is_counted_with_its_members_which_its_own_metrics_leave_out(engine):
    counted, played = used(engine, "team/newsroom", "ask writer: a headline")
    assert counted.input_tokens > played.outcome.output.run["metrics"]["input_tokens"]


def test_a_run_that_fails_after_an_answer_has_used_that():
    def explode() -> None:
        raise SystemExit(3)

    agent = Agent(id="bad", model=DemoModel(), tools=[explode])
    counted, played = used(engine_of(agent), "agent/bad", "call explode")
    assert played.outcome.status is RunStatus.ERROR
    assert counted.output_tokens > 0


@pytest.mark.parametrize(
    ("said", "counted"), [(12.75, 12), (None, 0), ("12", 0), (-3, 0), (10**40, 0), (float("nan"), 0), (float("inf"), 0)]
)
def test_whatever_a_model_says_of_its_tokens_whole_ones_are_counted(said, counted):
    count = TokenCount()
    for _ in range(2):
        count.add(ModelResponse(response_usage=MessageMetrics(input_tokens=said)))
    assert repr(count.used()) == repr(Usage(2 * counted))


def test_runs_at_the_same_time_are_counted_apart(engine):
    async def run(message: str) -> Usage:
        run = engine.start(request_of("agent/assistant", message, run_id=message))
        async for _ in run.events():
            await asyncio.sleep(0)
        return run.used()

    async def both() -> list[Usage]:
        return list(await asyncio.gather(run("one"), run("one two three four")))

    short, long = asyncio.run(both())
    assert long.output_tokens - short.output_tokens == 3
