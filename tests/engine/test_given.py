"""Members, steps, tools and knowledge that a function gives while a run goes on."""

from collections.abc import Callable
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.knowledge.knowledge import Knowledge
from agno.memory import MemoryManager
from agno.team import Team
from agno.tools import Toolkit, tool
from agno.workflow import Condition, Router, Step, Workflow

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import continuing, engine_of, play, request_of
from tests.engine.test_memories import TEA, Remembered

FOR_WRITER, FOR_DESK = f"ask writer: {TEA}", f"ask desk: ask writer: {TEA}"


def agent(**settings: Any) -> Agent:
    return Agent(**{"id": "writer", "name": "writer", "model": DemoModel()} | settings)


def team(*given: Any, name: str = "press", **settings: Any) -> Team:
    return Team(id=name, name=name, model=DemoModel(), members=lambda: list(given), **settings)


def flow(*steps: Any) -> Workflow:
    return Workflow(id="flow", name="flow", steps=list(steps))


def router(choice: Any, chosen: Any) -> Router:
    return Router(name="route", choices=[choice], selector=lambda _step_input: chosen)


def other() -> Step:
    return Step(name="other", executor=lambda step_input: step_input.input)


def chosen_of_its_own(writer: Agent) -> Workflow:
    """As agno's examples have it: the selector knows the steps by name, and the run has copies of them."""
    step = Step(name="write", agent=writer)
    return flow(router(step, [step]))


SHAPES: dict[str, tuple[str, Callable[[Agent], Team | Workflow]]] = {
    "a member": (FOR_WRITER, team),
    "a member of a team within a team": (
        FOR_DESK,
        lambda writer: Team(id="press", name="press", model=DemoModel(), members=[team(writer, name="desk")]),
    ),
    "a team with given members": (FOR_DESK, lambda writer: team(team(writer, name="desk"))),
    "a team with members": (
        FOR_DESK,
        lambda writer: team(Team(id="desk", name="desk", model=DemoModel(), members=[writer])),
    ),
    "a team of a step": (FOR_WRITER, lambda writer: flow(Step(name="new", team=team(writer)))),
    "a team as a step": (FOR_WRITER, lambda writer: flow(team(writer))),
    "a step": (TEA, lambda writer: flow(router(other(), Step(name="new", agent=writer)))),
    "a step's team": (FOR_WRITER, lambda writer: flow(router(other(), [Step(name="new", team=team(writer))]))),
    "a step among others": (
        TEA,
        lambda writer: flow(
            router(other(), Condition(name="if", evaluator=lambda _: True, steps=[Step(name="new", agent=writer)]))
        ),
    ),
    "a step of the router": (TEA, chosen_of_its_own),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_is_given_remembers_in_the_run_and_is_left_as_it_was(shape: str) -> None:
    message, component_of = SHAPES[shape]
    own, remembered = InMemoryDb(), Remembered()
    manager = MemoryManager(model=DemoModel(), db=own)
    writer = agent(db=own, memory_manager=manager, update_memory_on_run=True)

    played = remembered.play(component_of(writer), message)

    assert (played.outcome.status, remembered.texts()) == (RunStatus.COMPLETED, ["likes tea"])
    assert (own.get_user_memories(), own.get_sessions()) == ([], [])
    assert (writer.db, manager.db, writer.team_id, writer.workflow_id) == (own, own, None, None)


@tool(requires_confirmation=True)
def publish(title: str) -> str:
    """Publish an article."""
    return f"{title} is out"


WAITING: dict[str, tuple[str, Callable[[Agent], Team]]] = {
    "a member": ("ask writer: ", team),
    "a member of a team within a team": (
        "ask desk: ask writer: ",
        lambda writer: Team(id="press", name="press", model=DemoModel(), members=[team(writer, name="desk")]),
    ),
    "a member of a team that is given": ("ask desk: ask writer: ", lambda writer: team(team(writer, name="desk"))),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("shape", WAITING)
def test_a_member_that_is_given_goes_on_when_its_tool_is_confirmed(shape: str, stream: bool) -> None:
    asked, team_of = WAITING[shape]
    engine = engine_of(team_of(agent(tools=[publish])))
    request = request_of("team/press", f'{asked}call publish {{"title": "x"}}', stream=stream)
    paused = play(engine, request)
    confirmed = [{"id": each["id"], "confirmation": True} for each in paused.outcome.output.run["requirements"]]

    played = play(engine, continuing(paused, request, requirements=confirmed))

    assert (paused.outcome.status, played.outcome.status) == (RunStatus.PAUSED, RunStatus.COMPLETED)
    assert "publish gave: x is out" in played.content


REFUSED: dict[str, tuple[str, Any]] = {
    "a member that compacts": (
        "Agent 'writer': compaction needs compactions of the history, which nothing keeps here",
        team(agent(compaction=True)),
    ),
    "a step that learns": (
        "Agent 'writer': learning needs what was learned, which nothing keeps here",
        flow(router(other(), Step(name="new", agent=agent(learning=True)))),
    ),
    "knowledge with contents": (
        "Team 'press': knowledge.contents_db is a InMemoryDb of its own",
        Team(
            id="press",
            name="press",
            model=DemoModel(),
            members=[agent()],
            knowledge=lambda: Knowledge(contents_db=InMemoryDb()),
        ),
    ),
    "a tool with tokens": (
        "Agent 'writer': tools[0].db is a InMemoryDb of its own",
        team(agent(tools=lambda: [with_database(Toolkit(name="mail"))])),
    ),
}


def with_database(toolkit: Any) -> Any:
    toolkit.db = InMemoryDb()
    return toolkit


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_kept_is_refused_in_words_when_it_is_given(case: str) -> None:
    why, component = REFUSED[case]

    played = play(engine_of(component), request_of(f"{type(component).__name__.lower()}/{component.id}", FOR_WRITER))

    assert played.outcome.status is RunStatus.ERROR
    assert why in played.content
