"""Workflows to be followed, beside the samples.

One talks, one talks and is held until its test lets it go, one asks, and one has a large answer.
"""

import os
from pathlib import Path

from agno.agent import Agent
from agno.workflow import HumanReview, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.default import default_model
from components import agents as sample_agents
from components import teams as sample_teams
from components import workflows as sample_workflows

talker = Agent(id="talker", name="Talker", model=default_model())


def sign(step_input: StepInput) -> StepOutput:
    return StepOutput(content=f"{step_input.previous_step_content}\nSigned")


def hold(step_input: StepInput) -> StepOutput:
    Path(os.environ["TESTS_GATE"]).read_bytes()
    return StepOutput(content=step_input.previous_step_content)


def large(_step_input: StepInput) -> StepOutput:
    return StepOutput(content="x" * 300_000)


def publish(step_input: StepInput) -> StepOutput:
    return StepOutput(content=f"published: {step_input.previous_step_content}")


agents = [talker, *sample_agents]
teams = sample_teams
workflows = [
    *sample_workflows,
    Workflow(id="talk", name="Talk", steps=[Step(name="say", agent=talker), Step(name="sign", executor=sign)]),
    Workflow(id="held", name="Held", steps=[Step(name="say", agent=talker), Step(name="hold", executor=hold)]),
    Workflow(
        id="careful",
        name="Careful",
        steps=[
            Step(name="say", agent=talker),
            Step(name="publish", executor=publish, human_review=HumanReview(requires_confirmation=True)),
        ],
    ),
    Workflow(id="large", name="Large", steps=[Step(name="fill", executor=large)]),
]
