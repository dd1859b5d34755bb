from collections.abc import Callable

import pytest
from agno.agent import Agent
from agno.exceptions import CheckTrigger, InputCheckError
from agno.team import Team
from agno.workflow import Parallel, Step, StepInput, StepOutput, Workflow
from pydantic import BaseModel

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import engine_of, play, request_of, through_json


@pytest.mark.parametrize(("component", "event"), [("agent/assistant", "RunError"), ("team/newsroom", "TeamRunError")])
def test_a_model_that_raises_ends_the_run_as_an_error(engine: AgnoEngine, component: str, event: str) -> None:
    played = play(engine, request_of(component, "[fail out of ink]"))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "out of ink"
    assert played.content == "out of ink"
    assert played.outcome.output.run["status"] == "ERROR"
    assert played.names.count(event) == 1
    assert played.names[-1] == event
    assert played.of(event)["error_type"] == "RuntimeError"


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/broken"])
def test_without_a_stream_an_error_is_an_outcome_too(engine: AgnoEngine, component: str) -> None:
    played = play(engine, request_of(component, "[fail out of ink]", stream=False))

    assert played.events == []
    assert played.outcome.status is RunStatus.ERROR
    assert "out of ink" in played.outcome.error
    assert "out of ink" in played.content


def test_a_workflow_step_that_is_set_to_fail_ends_the_workflow(engine: AgnoEngine) -> None:
    played = play(engine, request_of("workflow/broken", "x"))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "no step for x"
    assert played.names[-2:] == ["StepError", "WorkflowError"]


def test_a_tool_that_raises_does_not_end_the_run(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "call explode"))

    assert played.outcome.status is RunStatus.COMPLETED
    assert "ToolCallError" in played.names
    assert played.outcome.output.run["tools"][0]["tool_call_error"] is True


def leave(*_: StepInput) -> StepOutput:
    """Ask for the end of the process."""
    raise SystemExit(3)


async def leave_later(*_: StepInput) -> StepOutput:
    """Ask for the end of the process, as a coroutine."""
    raise SystemExit(3)


def stay(_: StepInput) -> StepOutput:
    return StepOutput(content="still here")


def steps(*functions: Callable[..., object]) -> list[Step]:
    return [Step(name=each.__name__, executor=each, max_retries=0) for each in functions]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", ["agent", "team"])
def test_a_tool_that_ends_the_process_ends_only_its_run(kind: str, stream: bool) -> None:
    agent = Agent(id="agent", name="agent", model=DemoModel(), tools=[leave])
    team = Team(id="team", name="team", model=DemoModel(), members=[agent])
    message = "call leave" if kind == "agent" else "ask agent: call leave"

    played = play(engine_of(agent, team), request_of(f"{kind}/{kind}", message, stream=stream))

    # A team goes on without a member that has failed.
    ended = (RunStatus.ERROR, "SystemExit: 3") if kind == "agent" else (RunStatus.COMPLETED, None)
    assert (played.outcome.status, played.outcome.error) == ended


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("parallel", [True, False])
def test_a_step_that_ends_the_process_has_failed_and_no_more(parallel: bool, stream: bool) -> None:
    both = steps(leave, stay)
    workflow = Workflow(id="leaving", name="Leaving", steps=[Parallel(*both, name="both")] if parallel else both)
    played = play(engine_of(workflow), request_of("workflow/leaving", "x", stream=stream))

    assert played.outcome.status is RunStatus.COMPLETED
    assert "still here" in str(played.outcome.output.run["step_results"])


LEAVING = {
    "agent": lambda: Agent(id="leaving", name="leaving", model=DemoModel(), tools=[leave_later]),
    "workflow": lambda: Workflow(id="leaving", name="Leaving", steps=steps(leave_later)),
    "parallel": lambda: Workflow(
        id="leaving", name="Leaving", steps=[Parallel(*steps(leave_later, stay), name="both")]
    ),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("shape", LEAVING)
def test_a_coroutine_that_ends_the_process_ends_only_its_run(shape: str, stream: bool) -> None:
    kind = "agent" if shape == "agent" else "workflow"
    played = play(engine_of(LEAVING[shape]()), request_of(f"{kind}/leaving", "call leave_later", stream=stream))

    assert (played.outcome.status, played.outcome.error) == (RunStatus.ERROR, "SystemExit: 3")
    assert played.names[-1:] == [f"{'Run' if kind == 'agent' else 'Workflow'}Error"] * stream
    assert not {name for name in played.names if name.endswith(("Cancelled", "RunCompleted", "WorkflowCompleted"))}
    assert played.leftover == 0


class Order(BaseModel):
    item: str
    count: int


@pytest.mark.parametrize("stream", [True, False])
def test_input_that_does_not_fit_the_schema_is_an_error(stream: bool) -> None:
    shop = Agent(id="shop", name="Shop", model=DemoModel(), input_schema=Order)
    played = play(engine_of(shop), request_of("agent/shop", {"item": "pen"}, stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    assert "count" in played.outcome.error
    run = played.outcome.output.run
    assert (run["run_id"], run["agent_id"], run["session_id"]) == ("run-1", "shop", "session-1")
    assert run["input"] == {"input_content": {"item": "pen"}}
    assert played.names == (["RunError"] if stream else [])
    assert through_json(run) == run


def test_input_that_a_guard_rejects_is_an_error() -> None:
    def guard(run_input: object) -> None:
        raise InputCheckError("not about this", check_trigger=CheckTrigger.INPUT_NOT_ALLOWED)

    guarded = Agent(id="guarded", name="Guarded", model=DemoModel(), pre_hooks=[guard])
    played = play(engine_of(guarded), request_of("agent/guarded", "hello"))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == "not about this"
    assert played.of("RunError")["error_id"] == "input_not_allowed"


def test_a_failed_member_does_not_end_its_team(engine: AgnoEngine) -> None:
    played = play(engine, request_of("team/newsroom", "ask writer: [fail out of ink]"))

    assert played.outcome.status is RunStatus.COMPLETED
    assert played.of("RunError")["parent_run_id"] == "run-1"
    assert played.names[-1] == "TeamRunCompleted"


def test_a_failed_run_still_hands_on_the_state_of_its_session(engine: AgnoEngine) -> None:
    played = play(engine, request_of("agent/assistant", "[fail]", session_state={"cart": ["book"]}))

    assert played.outcome.session.set["state:cart"] == ["book"]


def test_numbers_and_texts_that_json_cannot_hold_reach_nobody(engine: AgnoEngine) -> None:
    state = {"odd": float("nan")}
    played = play(engine, request_of("agent/assistant", "a lone \ud800 surrogate", session_state=state))

    assert played.outcome.session.set["state:odd"] is None
    assert played.content.encode()
