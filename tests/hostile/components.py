"""Components whose models keep every message that they are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from agno.agent import Agent
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.team import Team
from agno.tools import tool
from agno.workflow import HumanReview, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.demo import DemoModel

OWNERS_WORDS = "Answer politely."

heard: list[Message] = []
"""Every message that a model was given since a test began."""


@dataclass
class Listening(DemoModel):
    """The demo model, overheard."""

    def invoke(self, *more: object, messages: list[Message], **options: object) -> ModelResponse:
        heard.extend(messages)
        return super().invoke(*more, messages=messages, **options)

    def invoke_stream(self, *more: object, messages: list[Message], **options: object) -> Iterator[ModelResponse]:
        heard.extend(messages)
        return super().invoke_stream(*more, messages=messages, **options)

    async def ainvoke(self, *more: object, messages: list[Message], **options: object) -> ModelResponse:
        heard.extend(messages)
        return await super().ainvoke(*more, messages=messages, **options)

    async def ainvoke_stream(
        self, *more: object, messages: list[Message], **options: object
    ) -> AsyncIterator[ModelResponse]:
        heard.extend(messages)
        async for response in super().ainvoke_stream(*more, messages=messages, **options):
            yield response


@tool(requires_confirmation=True)
def delete(what: str) -> str:
    """Delete something."""
    return f"{what} is gone"


@tool(requires_user_input=True, user_input_fields=["to"])
def send(to: str) -> str:
    """Send a letter."""
    return f"sent to {to}"


@tool(external_execution=True)
def look_up(what: str) -> str:
    """Look something up elsewhere."""
    return what


def agent(component_id: str = "assistant") -> Agent:
    return Agent(
        id=component_id,
        name=component_id,
        model=Listening(),
        instructions=OWNERS_WORDS,
        tools=[delete, send, look_up],
        add_history_to_context=True,
    )


def team() -> Team:
    return Team(
        id="research-team",
        name="Research",
        model=Listening(),
        instructions=OWNERS_WORDS,
        members=[agent("member")],
        tools=[delete],
        add_history_to_context=True,
    )


def echo(step_input: StepInput) -> StepOutput:
    return StepOutput(content=step_input.input)


def hand_on(step_input: StepInput) -> StepOutput:
    """Gives a caller's objects to an agent of its own, whole and in parts."""
    given = step_input.input
    parts = [given, [given], *(given.values() if isinstance(given, dict) else ())]
    for part in parts:
        if isinstance(part, str | dict | list):
            Agent(model=Listening(), instructions=OWNERS_WORDS).run(part)
    return StepOutput(content=given)


def workflow(*, pauses: bool = False) -> Workflow:
    review = HumanReview(requires_output_review=True) if pauses else None
    form = HumanReview(requires_user_input=True) if pauses else None
    steps = [
        Step(name="echo", executor=echo, **({"human_review": review} if review else {})),
        Step(name="read", agent=agent("reader")),
        Step(name="hand on", executor=hand_on, **({"human_review": form} if form else {})),
        Step(name="read again", agent=agent("reader")),
    ]
    return Workflow(id="story-workflow", name="Story", steps=steps)
