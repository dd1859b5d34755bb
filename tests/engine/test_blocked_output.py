"""Output that a component's own check has blocked: status ERROR, the reason, and the text nowhere."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from agno.agent import Agent
from agno.exceptions import CheckTrigger, InputCheckError, OutputCheckError
from agno.guardrails.base import BaseGuardrail
from agno.run.agent import RunOutput
from agno.team import Team
from agno.workflow import HumanReview, OnError, Parallel, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import Played, continuing, engine_of, play, request_of
from tests.engine.samples import delete

streamed = pytest.mark.parametrize("stream", [True, False])

TEXT = "I am the demo model"
"""What the demo model says, and nobody else."""
REASON = "do not shout"


def block(run_output: RunOutput) -> None:
    raise OutputCheckError(REASON)


async def block_later(run_output: RunOutput) -> None:
    raise OutputCheckError(REASON, check_trigger=CheckTrigger.PII_DETECTED)


def block_without_looking(session: object) -> None:
    raise OutputCheckError(REASON)


def block_as_input(run_output: RunOutput) -> None:
    raise InputCheckError(REASON)


class Guard(BaseGuardrail):
    def check(self, run_output: RunOutput) -> None:  # type: ignore[override]
        raise OutputCheckError(REASON)

    async def async_check(self, run_output: RunOutput) -> None:  # type: ignore[override]
        raise OutputCheckError(REASON)


class CallableCheck:
    def __call__(self, run_output: RunOutput) -> None:
        raise OutputCheckError(REASON)


CHECKS = {
    "function": block,
    "coroutine": block_later,
    "function of the session": block_without_looking,
    "input error": block_as_input,
    "guardrail": Guard(),
    "callable object": CallableCheck(),
}


def shouter(check: object = block, **options: Any) -> Agent:
    return Agent(id="shouter", name="shouter", model=DemoModel(), post_hooks=[check], **options)


def quiet(name: str = "quiet") -> Agent:
    return Agent(id=name, name=name, model=DemoModel())


def everything(played: Played) -> str:
    """All that is answered, stored or handed on after the run has ended."""
    outcome = played.outcome
    return json.dumps([outcome.output.run, outcome.output.members, dict(outcome.session.set), played.events[-1:]])


@streamed
@pytest.mark.parametrize("check", CHECKS)
def test_an_agents_blocked_output_is_neither_answered_nor_stored(check: str, stream: bool) -> None:
    played = play(engine_of(shouter(CHECKS[check])), request_of("agent/shouter", "hello", stream=stream))

    assert (played.outcome.status, played.content, played.outcome.error) == (RunStatus.ERROR, REASON, REASON)
    assert TEXT not in everything(played)
    assert [each["role"] for each in played.outcome.output.run["messages"]] == ["user"]
    assert played.outcome.withdrawn is stream
    if stream:
        assert played.names[-1] == "RunError"
        assert played.events[-1]["content"] == REASON


@streamed
def test_a_teams_blocked_output_is_neither_answered_nor_stored(stream: bool) -> None:
    team = Team(id="team", name="Team", model=DemoModel(), members=[quiet()], post_hooks=[block])
    played = play(engine_of(team), request_of("team/team", "ask quiet: hello", stream=stream))

    assert (played.outcome.status, played.content) == (RunStatus.ERROR, REASON)
    assert TEXT not in everything(played)
    (member,) = played.outcome.output.members
    assert (member["agent_id"], member["content"]) == ("quiet", REASON)
    assert played.outcome.withdrawn is stream


@streamed
@pytest.mark.parametrize("ask", ["ask shouter: hello", "ask everyone: hello"])
def test_a_leader_gets_the_reason_in_place_of_its_members_text(ask: str, stream: bool) -> None:
    team = Team(
        id="team",
        name="Team",
        model=DemoModel(),
        members=[shouter()],
        delegate_to_all_members="everyone" in ask,
    )
    played = play(engine_of(team), request_of("team/team", ask, stream=stream))

    assert played.outcome.status is RunStatus.COMPLETED
    assert REASON in played.content
    assert TEXT not in everything(played)
    assert TEXT not in json.dumps(played.events), "the leader would have taken it for an answer"
    assert [(each["status"], each["content"]) for each in played.outcome.output.members] == [("ERROR", REASON)]
    assert not played.outcome.withdrawn


@streamed
def test_a_team_within_a_team_gives_no_blocked_text_to_its_leader(stream: bool) -> None:
    inner = Team(id="inner", name="inner", model=DemoModel(), members=[quiet()], post_hooks=[block])
    outer = Team(id="outer", name="Outer", model=DemoModel(), members=[inner])
    played = play(engine_of(outer), request_of("team/outer", "ask inner: hello", stream=stream))

    assert played.outcome.status is RunStatus.COMPLETED
    assert REASON in played.content
    assert TEXT not in everything(played)


def seen_by(inputs: list[object]) -> Callable[[StepInput], StepOutput]:
    def look(step_input: StepInput) -> StepOutput:
        inputs.append(step_input.previous_step_content)
        return StepOutput(content="looked")

    return look


@streamed
@pytest.mark.parametrize("shape", ["agent", "team", "parallel", "workflow"])
def test_a_step_hands_on_no_blocked_text(shape: str, stream: bool) -> None:
    inputs: list[object] = []
    blocked = {
        "agent": lambda: Step(name="shout", agent=shouter()),
        "team": lambda: Step(
            name="shout",
            team=Team(id="t", name="T", model=DemoModel(), members=[quiet()], post_hooks=[block]),
        ),
        "parallel": lambda: Parallel(Step(name="shout", agent=shouter()), name="both"),
        "workflow": lambda: Step(
            name="inner", workflow=Workflow(id="i", name="I", steps=[Step(name="shout", agent=shouter())])
        ),
    }[shape]()
    workflow = Workflow(id="w", name="W", steps=[blocked, Step(name="look", executor=seen_by(inputs))])
    played = play(engine_of(workflow), request_of("workflow/w", "hello", stream=stream))

    assert TEXT not in everything(played)
    assert TEXT not in json.dumps(inputs, default=str)
    run = played.outcome.output.run
    if shape in ("agent", "team"):
        step = run["step_results"][0]
        assert (step["success"], step["error"]) == (False, REASON)
        assert [(each["status"], each["content"]) for each in run["step_executor_runs"]] == [("ERROR", REASON)]
    assert played.outcome.withdrawn is stream


@streamed
def test_a_step_that_is_set_to_fail_fails_its_workflow(stream: bool) -> None:
    step = Step(name="shout", agent=shouter(), human_review=HumanReview(on_error=OnError.fail))
    played = play(engine_of(Workflow(id="w", name="W", steps=[step])), request_of("workflow/w", "hello", stream=stream))

    assert (played.outcome.status, played.outcome.error) == (RunStatus.ERROR, REASON)
    assert TEXT not in everything(played)


@streamed
def test_an_agent_that_a_functions_step_runs_gives_no_blocked_text(stream: bool) -> None:
    agent = shouter()

    def shout(step_input: StepInput) -> StepOutput:
        return StepOutput(content=agent.run("hello").content)

    played = play(
        engine_of(Workflow(id="w", name="W", steps=[Step(name="s", executor=shout)])),
        request_of("workflow/w", "hello", stream=stream),
    )

    assert played.content == REASON
    assert TEXT not in everything(played)


@streamed
def test_output_of_a_run_that_went_on_is_checked_too(stream: bool) -> None:
    agent = shouter(tools=[delete])
    request = request_of("agent/shouter", 'call delete {"what": "all"}', stream=stream)
    paused = play(engine_of(agent), request)
    tools = [{**tool, "confirmed": True} for tool in paused.outcome.output.run["tools"]]
    ended = play(engine_of(agent), continuing(paused, request, tools=tools))

    assert (ended.outcome.status, ended.content) == (RunStatus.ERROR, REASON)
    assert "all is gone" not in everything(ended)


@streamed
def test_a_check_that_passes_changes_nothing(stream: bool) -> None:
    agent = shouter(lambda run_output: None)
    team = Team(id="team", name="Team", model=DemoModel(), members=[agent])
    played = play(engine_of(team), request_of("team/team", "ask shouter: hello", stream=stream))

    assert f"{TEXT}, and you said: hello" in played.content
    assert not played.outcome.withdrawn
    if stream:
        words = [e["content"] for e in played.events if e["event"] == "RunContent"]
        assert "".join(words) == f"{TEXT}, and you said: hello"


@pytest.mark.parametrize("inner", ["agent", "team"])
@pytest.mark.parametrize("waiting", [True, False])
def test_a_tool_that_streams_a_component_gives_no_blocked_text(inner: str, waiting: bool) -> None:
    def made() -> Agent | Team:
        if inner == "agent":
            return shouter()
        return Team(id="loud", name="loud", model=DemoModel(), members=[quiet()], post_hooks=[block])

    async def consult() -> AsyncIterator[object]:
        """Ask it."""
        async for event in made().arun("hello", stream=True, stream_events=True):
            yield event

    def consult_now() -> Iterator[object]:
        """Ask it, and wait."""
        yield from made().run("hello", stream=True, stream_events=True)

    tool = consult if waiting else consult_now
    asker = Agent(id="asker", name="asker", model=DemoModel(), tools=[tool])
    played = play(engine_of(asker), request_of("agent/asker", f"call {tool.__name__}"))

    assert played.outcome.status is RunStatus.COMPLETED
    assert TEXT not in everything(played)
    assert TEXT not in json.dumps(played.events)


def test_a_tool_gets_what_passes_the_checks_of_an_agent_that_it_runs() -> None:
    seen: list[RunOutput] = []

    def look(run_output: RunOutput) -> None:
        seen.append(run_output)

    def consult() -> Iterator[object]:
        """Ask the agent."""
        yield from shouter(check=look).run("hello", stream=True, stream_events=True)

    asker = Agent(id="asker", name="asker", model=DemoModel(), tools=[consult])
    played = play(engine_of(asker), request_of("agent/asker", "call consult"))

    assert len(seen) == 1
    assert "I am the demo model, and you said: hello" in everything(played)
