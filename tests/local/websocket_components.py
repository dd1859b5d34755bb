"""Workflows to be followed: one that talks, one whose answer is large, and one that fails."""

from agno.agent import Agent
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models import default_model

talker = Agent(id="talker", name="Talker", model=default_model())


def sign(step_input: StepInput) -> StepOutput:
    return StepOutput(content=f"{step_input.previous_step_content}\nSigned")


def large(_step_input: StepInput) -> StepOutput:
    return StepOutput(content="x" * 300_000)


agents = [talker]
teams = []
workflows = [
    Workflow(id="talk", name="Talk", steps=[Step(name="say", agent=talker), Step(name="sign", executor=sign)]),
    Workflow(id="large", name="Large", steps=[Step(name="fill", executor=large)]),
]
