"""What both servers serve: agents with and without history and memories, teams, a workflow."""

from __future__ import annotations

from agno.agent import Agent
from agno.memory import MemoryManager
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.demo import DemoModel


def remember(run_context: RunContext, key: str, value: str) -> str:
    """Write something into the session's state."""
    assert run_context.session_state is not None
    run_context.session_state[key] = value
    return f"{key} is {value}"


def sign(step_input: StepInput) -> StepOutput:
    """Sign the text of the previous step."""
    return StepOutput(content=f"{step_input.previous_step_content}, signed")


def agents() -> list[Agent]:
    return [
        Agent(id="plain", name="Plain", model=DemoModel()),
        Agent(
            id="keeper", name="Keeper", model=DemoModel(), tools=[remember], add_history_to_context=True,
            session_state={"mood": "calm"}, metadata={"kind": "keeper"},
        ),
        Agent(id="rememberer", name="Rememberer", model=DemoModel(), update_memory_on_run=True),
        Agent(
            id="clerk", name="Clerk", model=DemoModel(), enable_agentic_memory=True,
            memory_manager=MemoryManager(model=DemoModel(), delete_memories=True),
        ),
    ]  # fmt: skip


def teams() -> list[Team]:
    members = [Agent(id="scout", name="Scout", role="Looks around.", model=DemoModel())]
    family = Team(id="family", name="Family", model=DemoModel(), members=[], update_memory_on_run=True)
    household = Team(id="household", name="Household", model=DemoModel(), members=[remembering("cousin")])
    return [Team(id="crew", name="Crew", model=DemoModel(), members=members), family, household]


def remembering(name: str) -> Agent:
    """A part of something else that remembers its user. Here it needs no database of its own, in AgentOS it does."""
    return Agent(id=name, name=name, model=DemoModel(), update_memory_on_run=True)


def workflows() -> list[Workflow]:
    writer = Agent(id="scribe", name="Scribe", model=DemoModel())
    steps = [Step(name="write", agent=writer), Step(name="sign", executor=sign)]
    diary = Workflow(id="diary", name="Diary", steps=[Step(name="note", agent=remembering("diarist"))])
    return [Workflow(id="post", name="Post", steps=steps), diary]
