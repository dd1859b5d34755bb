"""One component of each kind over the demo model."""

from typing import Any

from agno.agent import Agent
from agno.run import RunContext
from agno.team import Team
from agno.tools import tool
from agno.workflow import HumanReview, OnError, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.models.demo import DemoModel


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def explode() -> str:
    """Raise an error."""
    raise ValueError("the tool broke")


def state_of(run_context: RunContext) -> dict[str, Any]:
    assert run_context.session_state is not None
    return run_context.session_state


def remember(run_context: RunContext, key: str, value: str) -> str:
    """Put a value into the session state."""
    state_of(run_context)[key] = value
    return "remembered"


def rename(run_context: RunContext, old: str, new: str) -> str:
    """Give a value in the session state another key."""
    state = state_of(run_context)
    state[new] = state.pop(old)
    return "renamed"


@tool(requires_confirmation=True)
def delete(what: str) -> str:
    """Delete something."""
    return f"{what} is gone"


def shout(step_input: StepInput) -> StepOutput:
    return StepOutput(content=str(step_input.previous_step_content).upper())


def break_down(step_input: StepInput) -> StepOutput:
    raise ValueError(f"no step for {step_input.input}")


def assistant() -> Agent:
    return Agent(id="assistant", name="Assistant", model=DemoModel(), tools=[add, explode, remember, rename, delete])


def companion() -> Agent:
    return Agent(id="companion", name="Companion", model=DemoModel(), add_history_to_context=True)


def newsroom() -> Team:
    members: list[Agent | Team] = [
        Agent(id=name, name=name, model=DemoModel(), tools=[add]) for name in ("writer", "reader")
    ]
    return Team(id="newsroom", name="Newsroom", model=DemoModel(), members=members)


def letter() -> Workflow:
    writer = Agent(id="writer", name="Writer", model=DemoModel())
    return Workflow(
        id="letter", name="Letter", steps=[Step(name="write", agent=writer), Step(name="shout", executor=shout)]
    )


def broken() -> Workflow:
    step = Step(name="break", executor=break_down, max_retries=0, human_review=HumanReview(on_error=OnError.fail))
    return Workflow(id="broken", name="Broken", steps=[step])


def reviewed() -> Workflow:
    review = HumanReview(requires_confirmation=True, confirmation_message="Shall it go out?")
    steps: list[Any] = [Step(name="write", executor=shout), Step(name="send", executor=shout, human_review=review)]
    return Workflow(id="reviewed", name="Reviewed", steps=steps)
