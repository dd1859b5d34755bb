"""Plain functions as steps of a workflow: they may block, the event loop they must not."""

import threading
from collections.abc import Callable, Iterator

import pytest
from agno.run import RunContext
from agno.workflow import Loop, Parallel, Step, StepInput, StepOutput, Workflow

from agentos_lambda.runs.model import RunStatus
from tests.engine.playing import Played, cancelling_at, engine_of, play, request_of


def played(*steps: object, message: str = "hello", stream: bool = True, **options: object) -> Played:
    workflow = Workflow(id="w", name="W", steps=list(steps))
    return play(engine_of(workflow), request_of("workflow/w", message, stream=stream), **options)


def where(step_input: StepInput) -> StepOutput:
    return StepOutput(content=threading.current_thread().name)


def as_step(function: Callable[..., object]) -> Step:
    return Step(name="blocking", executor=function)


SHAPES = {
    "a step": as_step,
    "a function as it is": lambda function: function,
    "a loop": lambda function: Loop(name="loop", steps=[as_step(function)], max_iterations=1),
    "parallel steps": lambda function: Parallel(as_step(function), name="parallel"),
    "a workflow within": lambda function: Step(
        name="inner", workflow=Workflow(id="inner", name="Inner", steps=[as_step(function)])
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_function_that_blocks_does_not_hold_a_cancelled_run(shape: str) -> None:
    release = threading.Event()

    def block(step_input: StepInput) -> StepOutput:
        release.wait(20)
        return StepOutput(content="late")

    def seeing(event: dict, run: object) -> None:
        cancelling_at("WorkflowStarted")(event, run)
        if event["event"] == "WorkflowCancelled":
            release.set()

    outcome = played(SHAPES[shape](block), seeing=seeing).outcome

    assert outcome.status is RunStatus.CANCELLED
    assert release.is_set()


@pytest.mark.parametrize("stream", [True, False])
def test_a_function_still_gets_its_context_and_gives_its_output(stream: bool) -> None:
    def count(step_input: StepInput, run_context: RunContext) -> StepOutput:
        run_context.session_state["counted"] = len(step_input.input)
        return StepOutput(content=f"{step_input.input}!")

    counted = played(as_step(count), stream=stream)

    assert counted.content == "hello!"
    assert counted.outcome.session.set["state:counted"] == 5
    step = counted.outcome.output.run["step_results"][0]
    assert (step["executor_type"], step["executor_name"]) == ("function", "count")


@pytest.mark.parametrize("stream", [True, False])
def test_a_generator_is_iterated_off_the_event_loop_too(stream: bool) -> None:
    def say(step_input: StepInput) -> Iterator[str | StepOutput]:
        yield "not the end"
        yield StepOutput(content=threading.current_thread().name)

    assert played(as_step(say), stream=stream).content != "MainThread"


def test_what_a_function_raises_is_the_steps_error() -> None:
    def break_down(step_input: StepInput) -> StepOutput:
        raise ValueError("out of ink")

    failing = Step(name="failing", executor=break_down, max_retries=0)

    assert "out of ink" in str(played(failing).outcome.output.run["step_results"])


def test_the_component_itself_stays_as_it_was() -> None:
    step = as_step(where)
    workflow = Workflow(id="w", name="W", steps=[step, where])

    assert play(engine_of(workflow), request_of("workflow/w", "hi")).content != "MainThread"
    assert (step.active_executor, workflow.steps) == (where, [step, where])
