"""The sample's components, and ones that stand still in every way in which a run can."""

import os
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
from agno.agent import Agent
from agno.models.response import ModelResponse
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.default import default_model
from agentos_lambda.engine.models.demo import DemoModel
from components import agents as sample_agents
from components import teams as sample_teams
from components import workflows as sample_workflows


class SilentModel(DemoModel):
    """Says two words, then asks a server that takes requests and never answers."""

    async def ainvoke(self, *args: Any, **options: Any) -> ModelResponse:
        await _never_answered()
        return await super().ainvoke(*args, **options)

    async def ainvoke_stream(self, *args: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        for word in ("so ", "far "):
            yield ModelResponse(role="assistant", content=word)
        await _never_answered()


async def _never_answered() -> None:
    async with httpx.AsyncClient(timeout=None) as client:  # noqa: S113 - it has to be cancelled, not to time out
        await client.post(os.environ["SILENT_SERVER"], json={})


def block(seconds: float) -> str:
    """Do nothing for so long, without letting anything else happen in this thread."""
    time.sleep(seconds)
    return "blocked"


def environment(name: str) -> str:
    """A variable of the function's environment."""
    return os.environ.get(name, "")


def blocking_step(step_input: StepInput) -> StepOutput:
    """A step that blocks for a minute."""
    return StepOutput(content=block(60))


def passing_step(step_input: StepInput) -> StepOutput:
    """A step that hands on its input."""
    return StepOutput(content=str(step_input.previous_step_content or step_input.input))


probe = Agent(id="probe", name="Probe", model=DemoModel(), tools=[block, environment])
rememberer = Agent(id="rememberer", name="Rememberer", model=DemoModel(), update_memory_on_run=True)
silent = Agent(id="silent", name="Silent", role="Stands still.", model=SilentModel())
slow = Agent(id="slow", name="Slow", role="Takes its time.", model=default_model())
crew = Team(id="crew", name="Crew", model=DemoModel(), members=[silent, slow])
quiet_steps = Workflow(
    id="quiet-steps",
    name="Quiet steps",
    steps=[Step(name="first", executor=passing_step), Step(name="second", agent=silent)],
)
stuck_steps = Workflow(
    id="stuck-steps",
    name="Stuck steps",
    steps=[Step(name="first", executor=passing_step), Step(name="second", executor=blocking_step)],
)

agents = [*sample_agents, probe, rememberer, silent, slow]
teams = [*sample_teams, crew]
workflows = [*sample_workflows, quiet_steps, stuck_steps]
