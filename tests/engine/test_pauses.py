import pytest
from agno.workflow import Workflow

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import engine_of, play, request_of, through_json


@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_that_needs_confirmation_pauses_the_run(engine: AgnoEngine, stream: bool) -> None:
    played = play(engine, request_of("agent/assistant", 'call delete {"what": "everything"}', stream=stream))

    assert played.outcome.status is RunStatus.PAUSED
    run = played.outcome.output.run
    assert run["status"] == "PAUSED"
    assert run["tools"][0]["requires_confirmation"] is True
    assert run["tools"][0]["result"] is None
    assert run["requirements"]
    assert through_json(run) == run
    assert played.names[-1:] == (["RunPaused"] if stream else [])


@pytest.fixture
def reviewing(reviewed: Workflow) -> AgnoEngine:
    return engine_of(reviewed)


def test_a_step_that_needs_confirmation_pauses_the_workflow(reviewing: AgnoEngine) -> None:
    played = play(reviewing, request_of("workflow/reviewed", "x"))

    assert played.outcome.status is RunStatus.PAUSED
    assert played.names[-1] == "WorkflowPaused"
    paused = played.events[-1]
    assert (paused["run_id"], paused["status"], paused["paused_step_name"]) == ("run-1", "PAUSED", "send")
    assert paused["step_requirements"][0]["confirmation_message"] == "Shall it go out?"
    assert all(value is not None for value in paused.values())


def test_a_paused_workflow_keeps_the_steps_that_are_done(reviewing: AgnoEngine) -> None:
    run = play(reviewing, request_of("workflow/reviewed", "x", stream=False)).outcome.output.run

    assert [step["step_name"] for step in run["step_results"]] == ["write"]
    assert run["step_requirements"][0]["requires_confirmation"] is True
