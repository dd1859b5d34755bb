"""Lists as AgentOS gives them: of runs, and of components that are parts of others."""

import json
from collections.abc import Iterator

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.os import AgentOS
from agno.team import Team
from agno.workflow import Step, Workflow
from fastapi import FastAPI

from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.events import terminal_event
from agentos_lambda.protocol.values import Kind
from tests.engine.playing import engine_of, play, request_of, session_after
from tests.engine.samples import add
from tests.engine.test_same_as_agentos import ask, steady


def agent() -> Agent:
    return Agent(id="writer", name="Writer", model=DemoModel(), tools=[add])


def team(member: Agent) -> Team:
    return Team(id="press", name="Press", model=DemoModel(), members=[member])


def workflow(executor: Agent) -> Workflow:
    return Workflow(id="paper", name="Paper", steps=[Step(name="write", agent=executor)])


COMPONENTS = {"agent": agent, "team": lambda: team(agent()), "workflow": lambda: workflow(agent())}


@pytest.fixture(scope="module")
def database() -> InMemoryDb:
    database = InMemoryDb()
    database.id = "agentos-lambda"
    return database


@pytest.fixture(scope="module")
def server(database: InMemoryDb) -> FastAPI:
    """With an agent that is a part of the other components, too."""
    shared = agent()
    components = {"agents": [shared], "teams": [team(shared)], "workflows": [workflow(shared)]}
    return AgentOS(id="agentos-lambda", db=database, telemetry=False, **components).get_app()


@pytest.fixture
def released(server: FastAPI, database: InMemoryDb) -> Iterator[FastAPI]:
    """One for all tests, since it takes half a second to make: none sees another's session."""
    yield server
    database.delete_session("session-1")


@pytest.mark.parametrize("kind", COMPONENTS)
@pytest.mark.parametrize("message", ["hello", "add 1 and 2", "[fail]"])
def test_a_list_of_runs_has_what_agentos_has_in_it(released: FastAPI, kind: str, message: str) -> None:
    component = COMPONENTS[kind]()
    path = f"/{kind}s/{component.id}/runs"
    ask(released, "POST", path, message=message, stream="false", session_id="session-1", user_id="ada", run_id="run-1")
    theirs = json.loads(ask(released, "GET", f"{path}?session_id=session-1"))
    request = request_of(f"{kind}/{component.id}", message, stream=False)
    (stored,) = session_after(play(engine_of(component), request), request).runs

    (ours,), (expected,) = [run_item(stored)], theirs
    assert ours.keys() == expected.keys()
    ours.pop("metrics"), expected.pop("metrics")
    assert [event["event"] for event in ours.pop("events")] == [terminal_event(stored.kind, stored.status)]
    expected.pop("events")  # all of a stream, which we send by resume, and none of a run that was not streamed
    for run in ours.get("step_executor_runs", []):
        if not run.get("tools"):
            run.pop("tools", None)  # AgentOS loses an empty list when it reads a run again
    assert steady(ours) == steady(expected)


def test_a_part_that_is_a_component_too_is_described_as_one(released: FastAPI) -> None:
    writer = agent()
    components = Components(agents=[writer], teams=[team(writer)], workflows=[workflow(writer)])
    described = describe_components(components)

    for kind in Kind:
        theirs = json.loads(ask(released, "GET", f"/{kind.plural}"))
        assert [entry["listed"] for entry in described[kind.plural]] == theirs
        detail = json.loads(ask(released, "GET", f"/{kind.plural}/{theirs[0]['id']}"))
        assert described[kind.plural][0]["detail"] == detail


def test_a_component_is_left_as_it_was_by_its_description() -> None:
    writer = agent()
    both = team(writer)
    describe_components(Components(agents=[writer], teams=[both]))

    assert both.members == [writer]
    assert (writer.db, writer.team_id, both.db) == (None, None, None)
