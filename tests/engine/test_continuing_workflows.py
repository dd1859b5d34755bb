"""Paused workflows that go on: before a step, with a form, after a step, within a step, after an error."""

from typing import Any

import pytest
from agno.agent import Agent
from agno.tools import tool
from agno.workflow import HumanReview, OnError, OnReject, Router, Step, StepInput, StepOutput, Workflow
from agno.workflow.types import UserInputField

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation
from tests.engine.playing import Played, continuing, engine_of, play, request_of

streamed = pytest.mark.parametrize("stream", [True, False])


def told(step_input: StepInput) -> StepOutput:
    """Repeats what it was given."""
    extra = (step_input.additional_data or {}).get("user_input")
    return StepOutput(content=f"({step_input.previous_step_content or step_input.input}{extra or ''})")


def fail(step_input: StepInput) -> StepOutput:
    raise ValueError("no luck")


@tool(requires_confirmation=True)
def delete(what: str) -> str:
    """Delete something."""
    return f"{what} is gone"


CONFIRMED = HumanReview(requires_confirmation=True, on_reject=OnReject.cancel)
OPTIONAL = HumanReview(requires_confirmation=True, on_reject=OnReject.skip)
PAUSING = HumanReview(on_error=OnError.pause)
REVIEWED = HumanReview(requires_output_review=True)
FORM = HumanReview(requires_user_input=True, user_input_schema=[UserInputField(name="n", field_type="int")])


def steps_of(name: str) -> list[Any]:
    """The steps of one of the workflows here, made afresh."""
    first, last = Step(name="first", executor=told), Step(name="last", executor=told)
    agent = Agent(id="clerk", model=DemoModel(), tools=[delete])
    review: dict[str, list[Any]] = {
        "confirmed": [first, Step(name="b", executor=told, human_review=CONFIRMED), last],
        "skipped": [first, Step(name="b", executor=told, human_review=OPTIONAL), last],
        "form": [first, Step(name="b", executor=told, human_review=FORM), last],
        "reviewed": [
            Step(name="b", executor=told, human_review=REVIEWED),
            Step(name="c", executor=told, human_review=REVIEWED),
        ],
        "agent": [Step(name="b", agent=agent), last],
        "route": [
            Router(
                name="b",
                choices=[Step(name="x", executor=told), Step(name="y", executor=told)],
                human_review=HumanReview(requires_user_input=True),
            )
        ],
        "error": [first, Step(name="b", executor=fail, max_retries=0, human_review=PAUSING), last],
        "error later": [
            Step(name="b", executor=told, human_review=OPTIONAL),
            Step(name="c", executor=fail, max_retries=0, human_review=PAUSING),
            last,
        ],
    }
    return review[name]


def new_engine(name: str) -> AgnoEngine:
    return engine_of(Workflow(id=name, name=name, steps=steps_of(name)))


def paused(name: str, message: str = "x", *, stream: bool = True) -> tuple[Played, EngineRequest]:
    request = request_of(f"workflow/{name}", message, stream=stream)
    played = play(new_engine(name), request)
    assert played.outcome.status is RunStatus.PAUSED
    return played, request


def waiting(played: Played) -> JsonObject:
    return played.outcome.output.run["step_requirements"][-1]


def go_on(played: Played, request: EngineRequest, **decision: Any) -> tuple[Played, EngineRequest]:
    """All requirements are sent back as they were, the last one with the decision."""
    sent = [*played.outcome.output.run["step_requirements"][:-1], {**waiting(played), **decision}]
    request = continuing(played, request, requirements=sent)
    return play(new_engine(request.component_id), request), request


def step_names(played: Played) -> list[str]:
    return [result["step_name"] for result in played.outcome.output.run["step_results"]]


@streamed
def test_a_confirmed_step_is_done_and_those_after_it(stream: bool) -> None:
    ended, _ = go_on(*paused("confirmed", stream=stream), confirmed=True)

    assert (ended.outcome.status, ended.content) == (RunStatus.COMPLETED, "(((x)))")
    assert step_names(ended) == ["first", "b", "last"]
    if stream:
        assert ended.names[:2] == ["StepContinued", "StepStarted"]
        assert ended.names[-1] == "WorkflowCompleted"


@streamed
def test_a_rejected_step_cancels_the_workflow(stream: bool) -> None:
    ended, _ = go_on(*paused("confirmed", stream=stream), confirmed=False, rejection_feedback="no")

    assert ended.outcome.status is RunStatus.CANCELLED
    run = ended.outcome.output.run
    assert (run["content"], run["cancellation_stage"]) == ("Workflow cancelled: Step 'b' was rejected", "PAUSED")
    assert step_names(ended) == ["first"]
    assert ended.names == (["WorkflowCancelled", "WorkflowCompleted"] if stream else [])


@streamed
def test_a_rejected_step_is_skipped_where_the_workflow_says_so(stream: bool) -> None:
    ended, _ = go_on(*paused("skipped", stream=stream), confirmed=False)

    assert (ended.outcome.status, ended.content) == (RunStatus.COMPLETED, "((x))")
    assert step_names(ended) == ["first", "last"]


@streamed
@pytest.mark.parametrize(
    "decision", [{"user_input": {"n": 3}}, {"user_input_schema": [{"name": "n", "field_type": "int", "value": 3}]}]
)
def test_a_step_gets_the_users_input(stream: bool, decision: JsonObject) -> None:
    ended, _ = go_on(*paused("form", stream=stream), **decision)

    assert (ended.outcome.status, ended.content) == (RunStatus.COMPLETED, "(((x){'n': 3}))")


@streamed
def test_each_review_counts_for_its_own_step(stream: bool) -> None:
    first, request = paused("reviewed", stream=stream)
    assert waiting(first)["step_output"]["content"] == "(x)"
    second, request = go_on(first, request, confirmed=True, edited_output="edited")
    assert second.outcome.status is RunStatus.PAUSED
    assert second.names[-1:] == (["WorkflowPaused"] if stream else [])
    assert (waiting(second)["step_name"], waiting(second)["step_output"]["content"]) == ("c", "(edited)")
    ended, _ = go_on(second, request, confirmed=True)

    assert (ended.outcome.status, ended.content) == (RunStatus.COMPLETED, "(edited)")
    assert step_names(ended) == ["b", "c"]


@streamed
@pytest.mark.parametrize(("confirmed", "content"), [(True, "x is gone"), (False, "no!")])
def test_an_agent_that_waits_within_a_step_goes_on(stream: bool, confirmed: bool, content: str) -> None:
    played, request = paused("agent", 'call delete {"what": "x"}', stream=stream)
    (requirement,) = waiting(played)["executor_requirements"]
    decision = {**requirement, "confirmation": confirmed, "confirmation_note": None if confirmed else "no!"}
    ended, _ = go_on(played, request, executor_requirements=[decision])

    assert (ended.outcome.status, ended.content) == (RunStatus.COMPLETED, f"(delete gave: {content})")
    (run,) = ended.outcome.output.run["step_executor_runs"]
    assert (run["status"], run["content"]) == ("COMPLETED", f"delete gave: {content}")
    if stream:
        assert ended.names[:2] == ["StepExecutorContinued", "RunContinued"]
        assert len(ended.of("WorkflowCompleted")["step_executor_runs"]) == 1


@streamed
def test_a_route_is_chosen(stream: bool) -> None:
    played, request = paused("route", stream=stream)
    ended, _ = go_on(played, request, selected_choices=["y"])

    assert ended.outcome.status is RunStatus.COMPLETED
    assert "'step_name': 'y'" in str(ended.outcome.output.run["step_results"])
    assert "'step_name': 'x'" not in str(ended.outcome.output.run["step_results"])


@streamed
def test_a_step_that_failed_is_skipped_or_tried_again(stream: bool) -> None:
    played, request = paused("error", stream=stream)
    assert played.names[-1:] == (["WorkflowPaused"] if stream else [])
    (requirement,) = played.outcome.output.run["error_requirements"]

    def decided(decision: str) -> Played:
        sent = [{**requirement, "decision": decision}]
        return play(new_engine("error"), continuing(played, request, requirements=sent))

    assert decided("retry").outcome.status is RunStatus.PAUSED
    skipped = decided("skip")
    assert (skipped.outcome.status, skipped.content) == (RunStatus.COMPLETED, "((x))")


def test_an_earlier_rejection_does_not_touch_a_step_that_failed_later() -> None:
    played, request = go_on(*paused("error later"), confirmed=False)
    (requirement,) = played.outcome.output.run["error_requirements"]
    again = continuing(played, request, requirements=[{**requirement, "decision": "retry"}])

    assert play(new_engine("error later"), again).outcome.status is RunStatus.PAUSED


def check(played: Played, *sent: Any) -> None:
    name = played.outcome.output.run["workflow_id"]
    new_engine(name).check(Kind.WORKFLOW, played.outcome.output, Continuation(requirements=sent))


@pytest.mark.parametrize(
    ("name", "decision", "error"),
    [
        ("confirmed", {}, r"^Cannot continue run - unresolved step requirements: \['b'\]$"),
        ("reviewed", {}, r"^Cannot continue run - unresolved step requirements: \['b'\]$"),
        ("form", {"confirmed": True}, r"^Cannot continue run - unresolved step requirements: \['b'\]$"),
        ("agent", {"confirmed": True}, r"^Cannot continue run - unresolved step requirements: \['b'\]$"),
        ("route", {}, r"^Cannot continue run - unresolved step requirements: \['b'\]$"),
        ("route", {"selected_choices": ["z"]}, "b has no choice 'z'"),
        ("route", {"selected_choices": ["x", "y"]}, "b takes one choice"),
        ("form", {"user_input": {"n": "three"}}, "Invalid user_input for step 'b': .* expected int, got str"),
        ("form", {"user_input": {"self": 1}}, "."),
        ("confirmed", {"step_id": "other", "confirmed": True}, "The run has no requirement of a step 'other'"),
        (
            "confirmed",
            {"step_id": None, "confirmed": True},
            "Invalid structure or content for step_requirements: 0.step_id: Input should be a valid string",
        ),
        (
            "agent",
            {"executor_requirements": [{"id": "other", "confirmation": True}]},
            "The run has no requirement 'other'",
        ),
    ],
)
def test_decisions_that_do_not_fit_are_refused(name: str, decision: JsonObject, error: str) -> None:
    played, _ = paused(name, 'call delete {"what": "x"}')

    with pytest.raises(InvalidRequest, match=error):
        check(played, {"step_id": waiting(played)["step_id"], **decision})


def test_nothing_sent_leaves_the_requirement_unresolved() -> None:
    played, _ = paused("confirmed")

    with pytest.raises(InvalidRequest, match=r"^Cannot continue run - unresolved step requirements: \['b'\]$"):
        check(played)


def test_a_failed_step_waits_for_a_decision() -> None:
    played, _ = paused("error")

    with pytest.raises(InvalidRequest, match=r"^Cannot continue run - unresolved error requirements: \['b'\]$"):
        check(played)
