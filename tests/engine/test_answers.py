"""What a caller is answered, streamed and reads back: the run as it happened, at every level."""

import json
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.media import Image
from agno.os import AgentOS
from agno.run import RunContext
from agno.team import Team
from agno.tools import tool
from agno.tools.function import ToolResult
from agno.workflow import Step, Workflow
from fastapi import FastAPI

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject, RunStatus
from tests.engine.playing import continuing, engine_of, play, request_of, session_after
from tests.engine.slicing import in_slices
from tests.engine.test_same_as_agentos import ask, steady

streamed = pytest.mark.parametrize("stream", [True, False])

STORES_LITTLE = {"store_media": False, "store_tool_messages": False, "store_history_messages": False}


def draw() -> ToolResult:
    """Draw something."""
    return ToolResult(content="drawn", images=[Image(content=b"\x89PNG", mime_type="image/png", id="picture")])


def note(run_context: RunContext, key: str) -> str:
    """Put something into the session state."""
    run_context.session_state[key] = 1
    return "noted"


def agent(**options: Any) -> Agent:
    return Agent(id="artist", name="artist", model=DemoModel(), tools=[draw, note], **options)


def team(*members: Agent | Team, name: str = "studio", **options: Any) -> Team:
    return Team(id=name, name=name, model=DemoModel(), members=list(members), tools=[draw], **options)


def workflow() -> Workflow:
    return Workflow(id="show", name="Show", steps=[Step(name="draw", team=team(team(agent()), name="gallery"))])


def history(**options: Any) -> dict[str, Any]:
    return {**STORES_LITTLE, "add_history_to_context": True, **options}


COMPONENTS = {
    "agent": lambda: agent(**history()),
    "team": lambda: team(agent(**history()), **history()),
    "team within a team": lambda: team(team(agent(**history()), **history()), name="gallery"),
    "workflow": workflow,
}


@pytest.fixture(scope="module")
def released() -> FastAPI:
    """AgentOS with all of them: it takes a second to make."""
    database = InMemoryDb()
    database.id = "agentos-lambda"
    made = [make() for make in COMPONENTS.values()]
    return AgentOS(
        db=database,
        telemetry=False,
        agents=[each for each in made if isinstance(each, Agent)],
        teams=[each for each in made if isinstance(each, Team)],
        workflows=[each for each in made if isinstance(each, Workflow)],
    ).get_app()


@pytest.mark.parametrize("shape", COMPONENTS)
def test_an_answer_is_that_of_agentos_whatever_the_component_stores(released: FastAPI, shape: str) -> None:
    component = COMPONENTS[shape]()
    kind = type(component).__name__.lower()
    asked = {"agent": "call draw", "team": "ask artist: call draw", "workflow": "ask studio: ask artist: call draw"}
    message = "ask studio: ask artist: call draw" if shape == "team within a team" else asked[kind]
    session_id = f"session of a {shape}"
    session = None
    for number, text in enumerate(("hello", message), 1):
        run_id = f"run-{number}"
        ids = {"run_id": run_id, "session_id": session_id}
        request = request_of(f"{kind}/{component.id}", text, stream=False, session=session, **ids)
        played = play(engine_of(component), request)
        session = session_after(played, request)
        form = {"message": text, "stream": "false", "user_id": "ada", **ids}
        theirs = json.loads(ask(released, "POST", f"/{kind}s/{component.id}/runs", **form).replace(run_id, "run-1"))
        ours = json.loads(json.dumps(played.outcome.answer).replace(run_id, "run-1"))

        assert steady(ours) == steady(theirs)


def test_what_an_answer_has_is_stored_only_as_the_component_wants_it() -> None:
    request = request_of("agent/artist", "call draw", stream=False)
    outcome = play(engine_of(agent(**history())), request).outcome

    assert outcome.answer is not None
    assert [image["id"] for image in outcome.answer["images"]] == ["picture"]
    assert "tool" in [message["role"] for message in outcome.answer["messages"]]
    assert not outcome.output.run.get("images")
    assert "tool" not in [message["role"] for message in outcome.output.run["messages"]]


def test_an_answer_has_what_an_agents_own_class_puts_into_it_after_the_run_was_saved() -> None:
    class Stamping(Agent):
        def arun(self, *arguments: Any, **options: Any) -> Any:
            given: Any = super().arun(*arguments, **options)

            async def stamped() -> Any:
                run = await given
                run.metadata["stamped"] = True
                return run

            return stamped()

    Stamping.__name__ = "Agent"
    component = Stamping(id="artist", model=DemoModel(), metadata={"of": "the agent"})
    outcome = play(engine_of(component), request_of("agent/artist", "hello", stream=False)).outcome

    assert outcome.answer is not None
    assert outcome.answer["metadata"] == {"of": "the agent", "stamped": True}
    assert outcome.output.run["metadata"] == {"of": "the agent"}


@pytest.mark.parametrize(("kind", "text"), [("agent", "call draw"), ("team", "ask artist: call draw")])
def test_a_run_that_may_end_between_slices_shows_only_what_is_stored(kind: str, text: str) -> None:
    component = agent(**history()) if kind == "agent" else team(agent(**history()), **history())
    first, last = in_slices(engine_of(component), request_of(f"{kind}/{component.id}", text)).slices

    assert (first.outcome.status, last.outcome.status) == (RunStatus.PENDING, RunStatus.COMPLETED)
    assert "image picture" in last.content  # the model has seen what was drawn in the slice before
    for outcome in (first.outcome, last.outcome):
        assert "tool" not in [message["role"] for message in outcome.output.run["messages"]]
        assert not outcome.output.run.get("images")


def levels(run: JsonObject) -> list[str]:
    """The ids of the run's members, and of theirs, on the way down."""
    below = [*(run.get("member_responses") or ()), *(run.get("step_executor_runs") or ())]
    return [below[0].get("team_id") or below[0]["agent_id"], *levels(below[0])] if below else []


@streamed
def test_the_members_of_members_are_answered_streamed_and_stored(stream: bool) -> None:
    gallery = team(team(agent()), name="gallery")
    played = play(engine_of(gallery), request_of("team/gallery", "ask studio: ask artist: hello", stream=stream))
    output = played.outcome.output

    assert levels({"member_responses": output.members}) == ["studio", "artist"]
    shown = played.events[-1] if stream else played.outcome.answer
    assert shown is not None
    assert levels(shown) == ["studio", "artist"]


@streamed
def test_the_members_of_a_steps_team_are_stored_at_every_level(stream: bool) -> None:
    played = play(engine_of(workflow()), request_of("workflow/show", "ask studio: ask artist: hello", stream=stream))

    assert levels(played.outcome.output.run) == ["gallery", "studio", "artist"]


STATEFUL = {
    "agent": agent,
    "team": lambda: team(agent()),
    "team within a team": lambda: team(team(agent()), name="gallery"),
    "workflow": workflow,
}


@pytest.mark.parametrize("shape", STATEFUL)
def test_every_completion_has_the_session_state_and_nothing_else(shape: str) -> None:
    component = STATEFUL[shape]()
    kind = type(component).__name__.lower()
    message = 'ask studio: ask artist: call note {"key": "seen"}\nask artist: call note {"key": "seen"}'
    message = 'call note {"key": "seen"}' if shape == "agent" else message
    played = play(engine_of(component), request_of(f"{kind}/{component.id}", message, session_state={"given": 1}))

    completions = [each for each in played.events if each["event"] in ("RunCompleted", "TeamRunCompleted")]
    assert completions
    assert [each["session_state"] for each in completions] == [{"given": 1, "seen": 1}] * len(completions)
    assert "current_" not in json.dumps(played.events)
    assert "current_" not in json.dumps([played.outcome.output.run, played.outcome.output.members])


@tool(requires_confirmation=True)
def show() -> str:
    """Show what was drawn."""
    return "shown"


def exhibition(*, kept: bool) -> Team:
    """Its leader forgets what its members have done, and asks them again."""
    artist = Agent(id="artist", name="artist", model=DemoModel(), tools=[show], store_tool_messages=kept)
    return team(artist, store_tool_messages=False)


@pytest.mark.parametrize(
    ("kept", "roles"), [(True, ["user", "assistant", "tool", "assistant"]), (False, ["user", "assistant"])]
)
def test_a_team_that_pauses_again_stores_of_its_members_only_what_they_want(kept: bool, roles: list[str]) -> None:
    request = request_of("team/studio", "ask artist: call show", stream=False)
    paused = play(engine_of(exhibition(kept=kept)), request)
    confirmed = [{"id": each["id"], "confirmation": True} for each in paused.outcome.output.run["requirements"]]
    again = play(engine_of(exhibition(kept=kept)), continuing(paused, request, requirements=confirmed)).outcome

    ended, waiting = again.output.members
    assert (again.status, ended["status"], waiting["status"]) == (RunStatus.PAUSED, "COMPLETED", "PAUSED")
    assert [message["role"] for message in ended["messages"]] == roles
    assert again.answer is not None
    answered, *_ = again.answer["member_responses"]
    assert [message["role"] for message in answered["messages"]] == ["user", "assistant", "tool", "assistant"]
