import asyncio
import json
from inspect import signature
from itertools import groupby

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow, WorkflowAgent

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Session
from tests.engine.playing import Played, engine_of, play, request_of, through_json

KINDS = ["agent/assistant", "team/newsroom", "workflow/letter"]


def in_order(played: Played) -> list[str]:
    """The events' names, repeated ones once."""
    return [name for name, _ in groupby(played.names)]


def filled(played: Played) -> set[str]:
    return {name for name, value in played.outcome.output.run.items() if value != []}


def test_an_agent_streams_the_events_of_the_released_server(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "hello"))

    assert in_order(played) == [
        "RunStarted",
        "ModelRequestStarted",
        "RunContent",
        "ModelRequestCompleted",
        "RunContentCompleted",
        "RunCompleted",
    ]
    assert played.outcome.status is RunStatus.COMPLETED
    assert played.of("RunCompleted")["content"] == played.content


def test_text_comes_word_by_word(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "hello"))

    words = [event["content"] for event in played.events if event["event"] == "RunContent"]
    assert len(words) > 5
    assert "".join(words) == played.content


def test_a_tool_is_called_between_two_model_requests(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "add 2 and 3"))

    assert in_order(played)[1:7] == [
        "ModelRequestStarted",
        "ModelRequestCompleted",
        "ToolCallStarted",
        "ToolCallCompleted",
        "ModelRequestStarted",
        "RunContent",
    ]
    tool = played.of("ToolCallCompleted")["tool"]
    assert tool["tool_args"] == {"a": 2, "b": 3}
    assert tool["result"] == "5"
    assert played.content == "add gave: 5"


def test_nulls_are_left_out_of_events_but_kept_inside_a_tool(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "add 2 and 3"))

    assert all(value is not None for event in played.events for value in event.values())
    assert played.of("ToolCallStarted")["tool"]["result"] is None


def test_a_members_events_stand_inside_the_tool_call_of_its_team(engine: AgnoEngine) -> None:
    played = play(engine, request_of("team/newsroom", "ask writer: a headline"))

    assert in_order(played) == [
        "TeamRunStarted",
        "TeamModelRequestStarted",
        "TeamModelRequestCompleted",
        "TeamToolCallStarted",
        "RunStarted",
        "ModelRequestStarted",
        "RunContent",
        "ModelRequestCompleted",
        "RunContentCompleted",
        "RunCompleted",
        "TeamToolCallCompleted",
        "TeamModelRequestStarted",
        "TeamRunContent",
        "TeamModelRequestCompleted",
        "TeamRunContentCompleted",
        "TeamRunCompleted",
    ]
    assert played.of("RunCompleted")["parent_run_id"] == "run-1"


@pytest.mark.parametrize("stream", [True, False])
def test_members_runs_are_kept_apart_from_their_teams(engine: AgnoEngine, stream: bool) -> None:
    message = "ask writer: a headline\nask reader: a story"
    output = play(engine, request_of("team/newsroom", message, stream=stream)).outcome.output

    assert output.run["member_responses"] == []
    assert {member["agent_id"] for member in output.members} == {"writer", "reader"}
    assert {member["parent_run_id"] for member in output.members} == {"run-1"}
    assert all("you said" in member["content"] for member in output.members)


def test_a_workflow_streams_its_steps(engine: AgnoEngine) -> None:
    played = play(engine, request_of("workflow/letter", "dear"))

    assert in_order(played) == [
        "WorkflowStarted",
        "StepStarted",
        "RunStarted",
        "ModelRequestStarted",
        "RunContent",
        "ModelRequestCompleted",
        "RunContentCompleted",
        "RunCompleted",
        "StepCompleted",
        "StepStarted",
        "StepOutput",
        "StepCompleted",
        "WorkflowCompleted",
    ]
    inner = played.of("RunContent")
    assert (inner["workflow_id"], inner["workflow_run_id"], inner["step_name"]) == ("letter", "run-1", "write")
    assert played.content == "I AM THE DEMO MODEL, AND YOU SAID: DEAR"


def test_a_workflow_keeps_the_runs_of_its_steps(engine: AgnoEngine) -> None:
    output = play(engine, request_of("workflow/letter", "dear")).outcome.output

    assert [run["agent_id"] for run in output.run["step_executor_runs"]] == ["writer"]
    assert [step["step_name"] for step in output.run["step_results"]] == ["write", "shout"]
    assert output.members == ()


@pytest.mark.parametrize("stream", [True, False])
def test_a_step_that_completed_is_never_told_cancelled(letter: Workflow, stream: bool) -> None:
    async def pause(step_input: StepInput) -> StepOutput:
        for _ in range(20):
            await asyncio.sleep(0)  # lets the loop finish what agno left of the step before
        return StepOutput(content=step_input.previous_step_content)

    letter.steps.append(Step(name="pause", executor=pause))
    played = play(engine_of(letter), request_of("workflow/letter", "[slow 1ms] dear", stream=stream))

    assert [run["status"] for run in played.outcome.output.run["step_executor_runs"]] == ["COMPLETED"]
    if stream:
        assert [run["status"] for run in played.of("WorkflowCompleted")["step_executor_runs"]] == ["COMPLETED"]


def test_a_workflow_agent_finds_what_its_workflow_has_saved(letter: Workflow) -> None:
    letter.agent = WorkflowAgent(model=DemoModel())
    played = play(engine_of(letter), request_of("workflow/letter", 'call run_workflow {"query": "dear"}'))

    assert played.outcome.status is RunStatus.COMPLETED
    assert played.names[0] == "WorkflowAgentStarted"
    assert played.names[-1] == "WorkflowAgentCompleted"
    assert played.content == "I AM THE DEMO MODEL, AND YOU SAID: DEAR"


def test_a_workflow_takes_an_object(engine: AgnoEngine) -> None:
    played = play(engine, request_of("workflow/letter", {"topic": "rain"}))

    assert played.outcome.status is RunStatus.COMPLETED
    assert played.outcome.output.run["input"] == {"topic": "rain"}


@pytest.mark.parametrize("component", KINDS)
def test_without_a_stream_there_are_no_events_and_the_output_is_the_same(engine: AgnoEngine, component: str) -> None:
    streamed = play(engine, request_of(component, "hello"))
    plain = play(engine, request_of(component, "hello", stream=False))

    assert plain.events == []
    assert plain.outcome.status is RunStatus.COMPLETED
    assert plain.content == streamed.content
    assert filled(plain) == filled(streamed)


@pytest.mark.parametrize("component", KINDS)
def test_what_a_run_leaves_survives_json(engine: AgnoEngine, component: str) -> None:
    played = play(engine, request_of(component, "ask writer: hello\nadd 1 and 2"))

    output = played.outcome.output
    assert through_json(output.run) == output.run
    assert through_json(list(output.members)) == list(output.members)
    assert through_json(played.events) == played.events
    assert through_json(dict(played.outcome.session.set)) == played.outcome.session.set


@pytest.mark.parametrize("component", KINDS)
def test_no_events_are_kept_in_the_run(engine: AgnoEngine, component: str) -> None:
    assert '"events":' not in json.dumps(play(engine, request_of(component, "hello")).outcome.output.run)


@pytest.mark.parametrize("component", KINDS)
def test_ids_and_metadata_of_the_caller_are_the_runs(engine: AgnoEngine, component: str) -> None:
    run = play(engine, request_of(component, "hello", run_id="r9", metadata={"ticket": 7})).outcome.output.run

    assert (run["run_id"], run["session_id"], run["user_id"]) == ("r9", "session-1", "ada")
    assert run["metadata"]["ticket"] == 7


@pytest.mark.parametrize("component", KINDS)
def test_metadata_of_the_session_are_the_runs_too_and_the_callers_come_first(
    engine: AgnoEngine, component: str
) -> None:
    session = Session("session-1", Kind.AGENT, None, "ada", 0, 0, {"metadata": {"ticket": 1, "plan": {"name": "free"}}})
    request = request_of(component, "hello", session=session, metadata={"ticket": 7})
    run = play(engine, request).outcome.output.run

    assert (run["metadata"]["ticket"], run["metadata"]["plan"]) == (7, {"name": "free"})
    assert session.fields["metadata"] == {"ticket": 1, "plan": {"name": "free"}}


def test_an_output_schema_makes_the_content_an_object(engine: AgnoEngine) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    played = play(engine, request_of("agent/assistant", 'It is {"city": "Oslo"}', output_schema=schema))

    assert played.content == {"city": "Oslo"}


def test_runs_of_one_component_share_nothing(engine: AgnoEngine) -> None:
    first = play(engine, request_of("team/newsroom", "ask writer: zebra", run_id="r1"))
    second = play(engine, request_of("team/newsroom", "ask writer: giraffe", run_id="r2"))

    assert len(first.outcome.output.members) == len(second.outcome.output.members) == 1
    assert "zebra" not in json.dumps(second.outcome.output.run)


def test_an_unknown_component_is_not_found(engine: AgnoEngine) -> None:
    with pytest.raises(NotFound, match="Workflow not found"):
        engine.start(request_of("workflow/assistant", "hello"))


def test_what_a_copy_is_made_by_is_found_out_once(engine: AgnoEngine) -> None:
    for component in ("team/newsroom", "workflow/letter"):
        play(engine, request_of(component, "hello"))

    for kind in (Agent, Team, Workflow):
        assert signature(kind.__init__) is signature(kind.__init__)
        assert "name" in signature(kind.__init__).parameters
