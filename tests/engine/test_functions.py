"""Plain functions of components: they may block, the event loop they must not."""

import threading
from collections.abc import Callable, Iterator

import pytest
from agno.agent import Agent
from agno.exceptions import InputCheckError
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Condition, Loop, Parallel, Router, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
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


DECIDERS = {
    "a condition": lambda decide: Condition(
        name="c", evaluator=lambda step_input: decide(True), steps=[as_step(where)]
    ),
    "a condition with context": lambda decide: Condition(
        name="c", evaluator=lambda step_input, run_context: decide(run_context is not None), steps=[as_step(where)]
    ),
    "a router": lambda decide: Router(name="r", selector=lambda step_input: decide("one"), choices=[one, two]),
    "a router with choices": lambda decide: Router(
        name="r", selector=lambda step_input, step_choices: decide(step_choices[0]), choices=[one, two]
    ),
    "a loop": lambda decide: Loop(
        name="l", end_condition=lambda outputs: decide(len(outputs) == 1), max_iterations=9, steps=[as_step(where)]
    ),
    "a condition in a loop": lambda decide: Loop(
        name="l",
        max_iterations=1,
        steps=[Condition(name="c", evaluator=lambda step_input: decide(True), steps=[as_step(where)])],
    ),
}
one, two = (Step(name=name, executor=where) for name in ("one", "two"))


@pytest.mark.parametrize("decider", DECIDERS)
@pytest.mark.parametrize("stream", [True, False])
def test_what_decides_on_steps_does_so_off_the_event_loop(decider: str, stream: bool) -> None:
    decided: list[str] = []

    def decide(result: object) -> object:
        decided.append(threading.current_thread().name)
        return result

    outcome = played(DECIDERS[decider](decide), stream=stream).outcome

    assert outcome.status is RunStatus.COMPLETED
    assert len(decided) == 1
    assert decided != ["MainThread"]
    assert "run_" in str(outcome.output.run["step_results"])


@pytest.mark.parametrize("kind", [Agent, Team])
@pytest.mark.parametrize("stream", [True, False])
def test_hooks_and_instructions_are_called_off_the_event_loop(kind: type[Agent | Team], stream: bool) -> None:
    called: dict[str, str] = {}

    def before(run_input: object) -> None:
        called["before"] = threading.current_thread().name

    def after(run_output: object) -> None:
        called["after"] = threading.current_thread().name

    async def beside(run_input: object) -> None:
        called["beside"] = threading.current_thread().name

    def instructions(session_state: dict[str, object]) -> str:
        called["instructions"] = threading.current_thread().name
        return "Be brief."

    members = {"members": []} if kind is Team else {}
    component = kind(
        id="c",
        name="C",
        model=DemoModel(),
        pre_hooks=[before, beside],
        post_hooks=[after],
        instructions=instructions,
        **members,
    )
    name = f"{kind.__name__.lower()}/c"

    assert play(engine_of(component), request_of(name, "hi", stream=stream)).outcome.status is RunStatus.COMPLETED

    assert called.pop("beside") == "MainThread"
    assert called.keys() == {"before", "after", "instructions"}
    assert "MainThread" not in called.values()
    assert (component.pre_hooks, component.instructions) == ([before, beside], instructions)


def test_a_hook_that_refuses_the_input_refuses_it() -> None:
    def refuse(run_input: object) -> None:
        raise InputCheckError("not that")

    agent = Agent(id="c", name="C", model=DemoModel(), pre_hooks=[refuse])
    outcome = play(engine_of(agent), request_of("agent/c", "hi")).outcome

    assert (outcome.status, outcome.error) == (RunStatus.ERROR, "not that")


def test_what_a_function_raises_is_the_steps_error() -> None:
    def break_down(step_input: StepInput) -> StepOutput:
        raise ValueError("out of ink")

    failing = Step(name="failing", executor=break_down, max_retries=0)

    assert "out of ink" in str(played(failing).outcome.output.run["step_results"])


def test_the_component_itself_stays_as_it_was() -> None:
    def always(step_input: StepInput) -> bool:
        return True

    step, condition = as_step(where), Condition(name="c", evaluator=always, steps=[where])
    workflow = Workflow(id="w", name="W", steps=[condition, step, where])

    assert play(engine_of(workflow), request_of("workflow/w", "hi")).content != "MainThread"
    assert (step.active_executor, workflow.steps) == (where, [condition, step, where])
    assert (condition.evaluator, condition.steps) == (always, [where])
