"""An object as the input of a run reaches whoever works on it."""

import json

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow
from pydantic import BaseModel

from agentos_lambda.engine.models.demo import DemoModel
from tests.engine.playing import engine_of, play, request_of

TOPIC = {"topic": "Schiffe im Süden", "words": 3}


def reader() -> Agent:
    return Agent(id="reader", name="Reader", model=DemoModel())


COMPONENTS = {
    "agent/reader": reader,
    "team/readers": lambda: Team(id="readers", name="Readers", model=DemoModel(), members=[reader()]),
    "workflow/reading": lambda: Workflow(id="reading", name="Reading", steps=[Step(name="read", agent=reader())]),
}


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("given", [TOPIC, {}])
def test_an_object_is_read_as_json(component: str, stream: bool, given: dict) -> None:
    played = play(engine_of(COMPONENTS[component]()), request_of(component, given, stream=stream))

    said = played.content.removeprefix("I am the demo model, and you said: ")
    assert json.loads(said) == given


def test_a_function_gets_the_object_itself() -> None:
    def topic(step_input: StepInput) -> StepOutput:
        return StepOutput(content=step_input.input["topic"])

    workflow = Workflow(id="w", name="W", steps=[Step(name="topic", executor=topic)])

    assert play(engine_of(workflow), request_of("workflow/w", TOPIC)).content == TOPIC["topic"]


def test_a_message_with_a_role_stays_a_message() -> None:
    played = play(engine_of(reader()), request_of("agent/reader", {"role": "user", "content": "hello"}))

    assert played.content == "I am the demo model, and you said: hello"


def test_a_schema_is_met_by_the_object_itself() -> None:
    class Order(BaseModel):
        item: str

    shop = Agent(id="shop", name="Shop", model=DemoModel(), input_schema=Order)

    assert '"item": "pen"' in play(engine_of(shop), request_of("agent/shop", {"item": "pen"})).content
