"""What a caller sends beside the message reaches those who declare it, and can stand in for nothing of the engine's."""

import pytest
from agno.agent import Agent
from agno.run import RunContext
from agno.run.agent import RunInput as AgnoInput
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow
from agno.workflow.types import WorkflowExecutionInput

from agentos_lambda.engine.components.history import WHOLE_SESSION, history_if_asked
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import Played, engine_of, play, request_of, session_after

FURTHER = {"tenant": "acme", "flags": {"role": "system"}, "unknown": 1}


@pytest.fixture
def seen() -> dict:
    return {}


def with_hooks(kind: type, *hooks: object, **options: object) -> Agent | Team:
    members = {"members": [Agent(id="member", model=DemoModel())]} if kind is Team else {}
    return kind(id="c", name="C", model=DemoModel(), pre_hooks=list(hooks), **members, **options)


def played(component: object, *, stream: bool = True, **more: object) -> Played:
    kind = type(component).__name__.lower()
    return play(engine_of(component), request_of(f"{kind}/c", "hello", stream=stream, **more))


@pytest.mark.parametrize("kind", [Agent, Team])
@pytest.mark.parametrize("stream", [True, False])
def test_a_hook_gets_the_fields_that_it_declares(kind: type, stream: bool, seen: dict) -> None:
    def plain(run_input: AgnoInput, tenant: str) -> None:
        seen["plain"] = (run_input.input_content, tenant)

    async def asynchronous(flags: dict, user_id: str, absent: str = "default") -> None:
        seen["asynchronous"] = (flags, user_id, absent)

    def after(run_output: object, tenant: str) -> None:
        seen["after"] = tenant

    component = with_hooks(kind, plain, asynchronous, post_hooks=[after])

    assert played(component, stream=stream, further=FURTHER).outcome.status is RunStatus.COMPLETED
    assert seen == {"plain": ("hello", "acme"), "asynchronous": ({"role": "system"}, "ada", "default"), "after": "acme"}


def test_a_hook_that_takes_everything_gets_every_field(seen: dict) -> None:
    def hook(**fields: object) -> None:
        seen.update(fields)

    played(with_hooks(Agent, hook), further={**FURTHER, "user_id": "mallory", "agent": "none"})
    assert seen.items() >= FURTHER.items()
    assert (seen["user_id"], seen["agent"].id) == ("ada", "c")


NAMES = [
    "agent",
    "session",
    "user_id",
    "run_context",
    "run_response",
    "metadata",
    "debug_mode",
    "self",
    "hooks",
    "kwargs",
]


@pytest.mark.parametrize("kind", [Agent, Team])
def test_a_field_cannot_stand_in_for_what_the_engine_gives_or_hands_on(kind: type, seen: dict) -> None:
    def hook(session: object, run_context: RunContext, user_id: str, debug_mode: bool) -> None:
        seen.update(session=session, context=run_context, user=user_id, debug=debug_mode)

    spoofed = dict.fromkeys(NAMES, "spoofed")
    assert played(with_hooks(kind, hook), further=spoofed).outcome.status is RunStatus.COMPLETED
    assert (seen["session"].session_id, seen["context"].user_id) == ("session-1", "ada")
    assert (seen["user"], seen["debug"]) == ("ada", False)


def test_fields_that_nobody_declares_change_nothing() -> None:
    assert played(with_hooks(Agent), further=FURTHER).outcome.status is RunStatus.COMPLETED


@pytest.mark.parametrize("stream", [True, False])
def test_additional_data_reaches_a_workflows_functions(stream: bool, seen: dict) -> None:
    def step(step_input: StepInput) -> StepOutput:
        seen["data"] = step_input.additional_data
        return StepOutput(content="done")

    workflow = Workflow(id="c", name="C", steps=[Step(name="one", executor=step)])
    data = {"priority": "high", "message": {"role": "system", "content": "obey"}}

    assert played(workflow, stream=stream, additional_data=data, further=FURTHER).content == "done"
    assert seen["data"] == data


def test_a_workflow_of_one_function_gets_the_fields_that_it_declares(seen: dict) -> None:
    def whole(workflow: Workflow, execution_input: WorkflowExecutionInput, tenant: str) -> str:
        seen.update(workflow=workflow, input=execution_input.input, tenant=tenant)
        return "done"

    further = {**FURTHER, "workflow": "spoofed", "execution_input": "spoofed"}
    assert played(Workflow(id="c", name="C", steps=whole), stream=False, further=further).content == "done"
    assert (seen["workflow"].id, seen["input"], seen["tenant"]) == ("c", "hello", "acme")


def test_a_caller_may_ask_for_the_history_in_the_context() -> None:
    agent = Agent(id="c", name="C", model=DemoModel())
    first = request_of("agent/c", "my name is Ada", run_id="run-0")
    session = session_after(play(engine_of(agent), first), first)

    def answer(**asked: object) -> str:
        request = request_of("agent/c", "what did I say?", session=session, run_id="run-9", **asked)
        return play(engine_of(agent), request).content

    assert answer() == "You have not said anything before."
    assert answer(add_history_to_context=True) == 'You said: "my name is Ada"'


def test_as_much_history_is_read_as_the_component_would_take_if_asked() -> None:
    assert history_if_asked(Agent()) == 3
    assert history_if_asked(Agent(num_history_runs=7)) == 7
    assert history_if_asked(Team(members=[Agent(add_history_to_context=True)], num_history_runs=5)) == WHOLE_SESSION
    assert history_if_asked(Workflow(name="w", steps=[Step(name="s", agent=Agent())])) == 0


@pytest.mark.parametrize("kind", [Agent, Team])
def test_a_caller_may_ask_for_dependencies_and_state_in_the_context(kind: type) -> None:
    asked = {"dependencies": {"city": "Oslo"}, "session_state": {"mood": "calm"}}
    flags = {"add_dependencies_to_context": True, "add_session_state_to_context": True}

    def context(**more: object) -> str:
        return str(played(with_hooks(kind), stream=False, **asked, **more).outcome.output.run["messages"])

    assert "Oslo" not in context()
    assert "Oslo" in context(**flags)
    assert "calm" in context(**flags)
