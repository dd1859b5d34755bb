"""What a follower of a workflow of agno's gets: the same answers as over HTTP."""

import json
from decimal import Decimal
from typing import Any

import pytest
from agno.agent import Agent
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from tests.engine.samples import delete
from tests.engine.test_blocked_output import REASON, TEXT, shouter
from tests.websocket.world import WORKFLOW, World

pytestmark = pytest.mark.anyio

SECRET = "classified"


def look_up() -> str:
    """Look something up."""
    return "class" + "ified"


def note(run_context: RunContext) -> str:
    """Put something into the session state."""
    assert run_context.session_state is not None
    run_context.session_state["price"] = Decimal("1.5")
    return "noted"


def clerk(**options: Any) -> Agent:
    return Agent(id="clerk", name="clerk", model=DemoModel(), tools=[look_up, note, delete], **options)


def offer(step_input: StepInput) -> StepOutput:
    return StepOutput(content={"price": Decimal("1.5")})


async def followed(message: str, *steps: Step, **options: Any) -> tuple[World, str]:
    """A world in which a client has followed a run of such a workflow to its end; and the run's id."""
    workflow = Workflow(id=WORKFLOW.id, name=WORKFLOW.name, steps=list(steps), **options)
    engine: Any = AgnoEngine(Components([], [], [workflow]))
    world = World(engine=engine)
    world.connect()
    run_id = world.start(message=message)
    await world.work()
    return world, run_id


async def test_who_reconnects_gets_the_end_alone_of_a_run_with_blocked_output() -> None:
    world, run_id = await followed("hello", Step(name="shout", agent=shouter()))
    *_, end = world.posts.got()
    world.posts.messages.clear()
    world.reconnect(run_id, last_event_index=-1)

    assert TEXT not in json.dumps([end, world.posts.got()])
    assert end["step_executor_runs"][0]["content"] == REASON
    assert [name for name in world.posts.names() if name.startswith(("Workflow", "Step", "Run"))] == [
        "WorkflowCompleted"
    ]


@pytest.mark.parametrize("holder", ["workflow", "step"])
async def test_no_message_has_the_output_of_a_held_run_that_waits(holder: str) -> None:
    held = {"hold_output": True}
    step = Step(name="work", agent=clerk(metadata=held if holder == "step" else None))
    asked = 'call look_up\ncall delete {"what": "all"}'
    world, run_id = await followed(asked, step, metadata=held if holder == "workflow" else None)
    *_, end = world.posts.got()
    world.reconnect(run_id, last_event_index=-1)

    assert world.posts.names()[-1] == "WorkflowPaused"
    assert end["event"] == "WorkflowPaused"
    assert end["step_requirements"][0]["executor_requirements"][0]["tool_execution"]["tool_args"] == {"what": "all"}
    assert SECRET not in json.dumps(world.posts.got())


async def test_the_end_has_members_of_members_their_state_and_values() -> None:
    desk = Team(id="desk", name="desk", model=DemoModel(), members=[clerk()])
    office = Team(id="office", name="office", model=DemoModel(), members=[desk])
    world, _ = await followed(
        "ask desk: ask clerk: call note", Step(name="work", team=office), Step(name="offer", executor=offer)
    )
    *_, end = world.posts.got()

    assert end["content"] == {"price": 1.5}
    (run,) = end["step_executor_runs"]
    (inner,) = run["member_responses"]
    (member,) = inner["member_responses"]
    assert (run["team_id"], inner["team_id"], member["agent_id"]) == ("office", "desk", "clerk")
    states = [message["session_state"] for message in world.posts.got() if message["event"].endswith("RunCompleted")]
    assert states == [{"price": 1.5}] * 3
    assert "current_" not in json.dumps(world.posts.got())
