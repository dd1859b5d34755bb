"""The sample components that wait for a person, over HTTP: through the client of AgentOS, and by plain requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from agno.client import AgentOSClient
from agno.utils.http import set_default_async_client
from fastapi import APIRouter, FastAPI

import components as samples
from agentos_lambda.api.app import create_app
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.routes.runs import run_router
from agentos_lambda.api.routes.runs_read import run_state_router
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.identity.authority import Authority
from agentos_lambda.protocol.values import Json, JsonObject, Kind
from agentos_lambda.runs.catalog import Component
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.execution_context import ExecutionContext
from agentos_lambda.runs.executor import RunExecutor
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.limiter import Limiter
from agentos_lambda.runs.service import RunService
from agentos_lambda.stores.memory import MemoryQueue, MemoryStore
from tests.engine.test_same_as_agentos import frames

pytestmark = pytest.mark.anyio

LETTER = 'call send_letter {"to": "Ada", "text": "Good morning!"}'


class Samples:
    """A catalog of the sample components."""

    components = Components(samples.agents, samples.teams, samples.workflows)

    def find(self, kind: Kind, component_id: str) -> Component | None:
        found = self.components.find(kind, component_id)
        return found and Component(kind, component_id, found.name or component_id, 3, {}, {}, {})

    def all(self, kind: Kind) -> list[Component]:
        raise NotImplementedError

    def models(self) -> list[JsonObject]:
        raise NotImplementedError

    def os_config(self) -> JsonObject:
        raise NotImplementedError

    def engine_version(self) -> str:
        return "3.1"


def new_id() -> str:
    return str(uuid4())


def new_app(store: MemoryStore) -> FastAPI:
    """What a fresh environment has: all but the store is new."""
    clock, catalog = SystemClock(), Samples()
    runs = RunService(store, clock, new_id=new_id)
    context = ExecutionContext(store, lambda: AgnoEngine(catalog.components), clock, limiter=Limiter(clock))
    executor = RunExecutor(context)
    intake = RunIntake(
        store, MemoryQueue(), executor, clock, engine=lambda: AgnoEngine(catalog.components), new_id=new_id
    )
    router = APIRouter()
    for kind in Kind:
        router.include_router(run_state_router(kind, catalog, runs))
        router.include_router(run_router(kind, catalog, intake, runs, clock))
    services = Services(Os("os", "OS"), catalog, clock, Authority(lambda: None, clock))
    return create_app(router, services, at_end=executor.idle)


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()

    async def post(self, path: str, *, json: Json = None, **form: str) -> httpx.Response:
        transport = httpx.ASGITransport(new_app(self.store))
        async with httpx.AsyncClient(transport=transport, base_url="http://os") as client:
            return await client.post(path, json=json, data=form or None)

    async def run(self, path: str, message: str) -> JsonObject:
        """The run, which pauses."""
        run = (await self.post(f"{path}/runs", message=message, session_id="s", stream="false")).json()
        assert run["status"] == "PAUSED"
        return run

    async def status(self, path: str, run_id: str) -> str:
        transport = httpx.ASGITransport(new_app(self.store))
        async with httpx.AsyncClient(transport=transport, base_url="http://os") as client:
            return (await client.get(f"{path}/runs/{run_id}")).json()["status"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world: World) -> AsyncIterator[AgentOSClient]:
    """The client of AgentOS, whose requests go straight to the app."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(new_app(world.store))) as connection:
        set_default_async_client(connection)  # agno replaces one that is closed
        yield AgentOSClient(base_url="http://os")


async def test_the_client_confirms_an_agents_tool(client: AgentOSClient) -> None:
    paused = await client.run_agent("clerk", LETTER, session_id="s")
    assert paused.is_paused
    paused.tools[0].confirmed = True
    run = await client.continue_agent_run("clerk", paused.run_id, paused.tools, session_id="s")

    assert (run.status, run.content) == ("COMPLETED", "send_letter gave: sent to Ada: Good morning!")


async def test_the_client_confirms_a_teams_tool(client: AgentOSClient) -> None:
    paused = await client.run_team("press-office", 'call publish {"title": "News"}', session_id="s")
    paused.requirements[0].confirm()
    run = await client.continue_team_run("press-office", paused.run_id, paused.requirements, session_id="s")

    assert (run.status, run.content) == ("COMPLETED", "publish gave: News is published")


async def test_the_client_edits_what_a_workflows_step_has_written(client: AgentOSClient) -> None:
    paused = await client.run_workflow("newsletter", "dear readers", session_id="s")
    assert paused.step_requirements[0].output_review_message == "May this go out?"
    paused.step_requirements[0].edit("Dear readers!")
    run = await client.continue_workflow_run("newsletter", paused.run_id, paused.step_requirements, session_id="s")

    assert (run.status, run.content) == ("COMPLETED", "Dear readers!\n\nPosted by the workflow")


async def test_the_client_continues_with_a_stream(client: AgentOSClient) -> None:
    paused = await client.run_agent("clerk", LETTER, session_id="s")
    paused.tools[0].confirmed = True
    stream = client.continue_agent_run_stream("clerk", paused.run_id, paused.tools, session_id="s")
    names = [event.event async for event in stream]

    assert (names[0], names[-1]) == ("RunContinued", "RunCompleted")


async def test_an_agent_goes_on_in_another_environment(world: World) -> None:
    paused = await world.run("/agents/clerk", LETTER)
    tools = json.dumps([{**paused["tools"][0], "confirmed": True}])
    path = f"/agents/clerk/runs/{paused['run_id']}/continue"
    answer = await world.post(path, tools=tools, session_id="s", stream="false")

    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    assert answer.json()["content"] == "send_letter gave: sent to Ada: Good morning!"
    assert (await world.post(path, tools=tools)).status_code == 409
    assert await world.status("/agents/clerk", paused["run_id"]) == "COMPLETED"


@pytest.mark.parametrize(
    ("message", "decision", "content"),
    [
        ('call book_room {"room": "the hall"}', {"date": "Monday"}, "book_room gave: the hall is booked for Monday"),
        ('call measure_temperature {"place": "attic"}', {"result": "30"}, "measure_temperature gave: 30"),
    ],
)
async def test_the_other_tools_of_the_clerk_go_on(
    world: World, message: str, decision: dict[str, str], content: str
) -> None:
    paused = await world.run("/agents/clerk", message)
    tool = paused["tools"][0]
    if "date" in decision:
        next(field for field in tool["user_input_schema"] if field["name"] == "date")["value"] = decision["date"]
    else:
        tool |= decision
    answer = await world.post(f"/agents/clerk/runs/{paused['run_id']}/continue", json={"tools": [tool]})

    assert (answer.json()["status"], answer.json()["content"]) == ("COMPLETED", content)


async def test_a_workflow_goes_on_with_a_stream(world: World) -> None:
    paused = await world.run("/workflows/newsletter", "dear readers")
    requirement = {**paused["step_requirements"][0], "confirmed": True}
    path = f"/workflows/newsletter/runs/{paused['run_id']}/continue"
    answer = await world.post(path, step_requirements=json.dumps([requirement]), stream="true")
    events = list(frames(answer.text))

    assert events[-1]["event"] == "WorkflowCompleted"
    assert events[-1]["content"].endswith("Posted by the workflow")
    assert [event["event_index"] for event in events] == list(range(len(events)))


async def test_a_draft_that_is_rejected_is_written_again(world: World) -> None:
    paused = await world.run("/workflows/newsletter", "dear readers")
    path = f"/workflows/newsletter/runs/{paused['run_id']}/continue"
    requirement = {**paused["step_requirements"][0], "confirmed": False, "rejection_feedback": "shorter, please"}
    again = (await world.post(path, json={"step_requirements": [requirement]})).json()
    assert (again["status"], len(again["step_requirements"])) == ("PAUSED", 2)
    requirement = {**again["step_requirements"][-1], "confirmed": True}
    ended = (await world.post(path, json={"step_requirements": [requirement]})).json()

    assert ended["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("path", "message", "body", "detail"),
    [
        ("/agents/clerk", LETTER, {"tools": [{"tool_call_id": "x"}]}, "The run has no requirement 'x'"),
        (
            "/agents/clerk",
            LETTER,
            {"tools": [{"tool_call_id": 1}]},
            "Invalid structure or content for tools: 0.tool_call_id: Input should be a valid string",
        ),
        (
            "/workflows/newsletter",
            "dear readers",
            {"step_requirements": []},
            "Cannot continue run - unresolved step requirements: ['draft']",
        ),
    ],
)
async def test_what_does_not_fit_is_a_400_and_the_run_stays_paused(
    world: World, path: str, message: str, body: JsonObject, detail: str
) -> None:
    paused = await world.run(path, message)
    answer = await world.post(f"{path}/runs/{paused['run_id']}/continue", json=body)

    assert answer.status_code == 400
    assert answer.json() == {"detail": detail, "error_code": "BAD_REQUEST"}
    assert await world.status(path, paused["run_id"]) == "PAUSED"
