"""Paused teams that go on: for a tool of the leader's own, or for a member's."""

from copy import deepcopy
from typing import Any

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.tools import tool

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation
from tests.engine.playing import Played, continuing, engine_of, play, request_of, session_after

streamed = pytest.mark.parametrize("stream", [True, False])

OWN = 'call publish {"title": "x"}'
MEMBERS = 'ask writer: call publish {"title": "y"}'
BOTH_MEMBERS = MEMBERS + '\nask reader: call publish {"title": "z"}'


@tool(requires_confirmation=True)
def publish(title: str) -> str:
    """Publish an article."""
    return f"{title} is out"


def new_engine() -> AgnoEngine:
    def member(name: str) -> Agent:
        return Agent(id=name, name=name, model=DemoModel(), tools=[publish])

    members = [member("writer"), member("reader")]
    return engine_of(Team(id="press", name="Press", model=DemoModel(), tools=[publish], members=members))


def paused(message: str, *, stream: bool = True) -> tuple[Played, EngineRequest]:
    request = request_of("team/press", message, stream=stream)
    played = play(new_engine(), request)
    assert played.outcome.status is RunStatus.PAUSED
    return played, request


def answered(message: str, *, stream: bool = True, **decision: Any) -> Played:
    played, request = paused(message, stream=stream)
    requirements = deepcopy(played.outcome.output.run["requirements"])
    for requirement in requirements:
        requirement["tool_execution"].update(decision)
    return play(new_engine(), continuing(played, request, requirements=requirements))


@streamed
def test_the_teams_own_tool_runs_when_it_is_confirmed(stream: bool) -> None:
    played = answered(OWN, stream=stream, confirmed=True)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "publish gave: x is out")
    assert played.outcome.output.run["tools"][0]["result"] == "x is out"
    if stream:
        assert played.names[0] == "TeamRunContinued"
        assert played.names[-1] == "TeamRunCompleted"


@streamed
def test_the_teams_own_tool_does_not_run_when_it_is_rejected(stream: bool) -> None:
    played = answered(OWN, stream=stream, confirmed=False, confirmation_note="not today")

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "publish gave: not today")


@streamed
def test_a_members_tool_runs_when_it_is_confirmed(stream: bool) -> None:
    played = answered(MEMBERS, stream=stream, confirmed=True)

    assert played.outcome.status is RunStatus.COMPLETED
    assert "publish gave: y is out" in played.content
    (member,) = played.outcome.output.members
    assert (member["status"], member["content"]) == ("COMPLETED", "publish gave: y is out")
    assert member["parent_run_id"] == "run-1"
    assert [message["role"] for message in member["messages"]] == ["user", "assistant", "tool", "assistant"]
    told = played.of("TeamRunCompleted") if stream else played.outcome.answer
    assert told is not None
    assert [(each["status"], each["content"]) for each in told["member_responses"]] == [
        ("COMPLETED", "publish gave: y is out")
    ]
    if stream:
        assert played.names[:2] == ["RunContinued", "ToolCallStarted"]
        assert "TeamRunContinued" in played.names
        assert played.names[-1] == "TeamRunCompleted"


@streamed
def test_a_members_tool_does_not_run_when_it_is_rejected(stream: bool) -> None:
    played = answered(MEMBERS, stream=stream, confirmed=False, confirmation_note="not today")

    assert played.outcome.status is RunStatus.COMPLETED
    assert "publish gave: not today" in played.content


@streamed
def test_each_member_gets_its_own_decision(stream: bool) -> None:
    played, request = paused(BOTH_MEMBERS, stream=stream)
    requirements = played.outcome.output.run["requirements"]
    assert len({each["tool_execution"]["tool_call_id"] for each in requirements}) == 1
    decisions = [
        {"id": each["id"], "confirmation": each["tool_execution"]["tool_args"]["title"] == "y"} for each in requirements
    ]
    ended = play(new_engine(), continuing(played, request, requirements=decisions))

    assert ended.outcome.status is RunStatus.COMPLETED
    contents = {member["agent_id"]: member["content"] for member in ended.outcome.output.members}
    assert contents == {
        "writer": "publish gave: y is out",
        "reader": "publish gave: Function call was rejected by the user",
    }


def test_a_member_is_not_found_by_a_tool_call_id_that_another_has_too() -> None:
    played, _ = paused(BOTH_MEMBERS)
    call_id = played.outcome.output.run["requirements"][0]["tool_execution"]["tool_call_id"]

    with pytest.raises(InvalidRequest, match="is ambiguous: send its id"):
        check(played, tools=({"tool_call_id": call_id, "confirmed": True},))
    check(
        played,
        requirements=tuple(
            {"member_run_id": each["member_run_id"], "tool_execution": {"tool_call_id": call_id, "confirmed": True}}
            for each in played.outcome.output.run["requirements"]
        ),
    )


@streamed
def test_members_that_had_ended_before_the_pause_are_kept(stream: bool) -> None:
    played, request = paused(f"ask reader: hello\n{MEMBERS}", stream=stream)
    (requirement,) = played.outcome.output.run["requirements"]
    decision = {"id": requirement["id"], "confirmation": True}
    ended = play(new_engine(), continuing(played, request, requirements=[decision]))

    assert {member["agent_id"]: member["status"] for member in ended.outcome.output.members} == {
        "reader": "COMPLETED",
        "writer": "COMPLETED",
    }
    assert ended.outcome.output.run["member_responses"] == []


@streamed
@pytest.mark.parametrize("message", [OWN, MEMBERS])
def test_what_a_team_is_not_told_it_asks_again(stream: bool, message: str) -> None:
    played, request = paused(message, stream=stream)
    request = continuing(played, request, requirements=[])
    again = play(new_engine(), request)
    assert again.outcome.status is RunStatus.PAUSED
    assert again.names[-1:] == (["TeamRunPaused"] if stream else [])
    (requirement,) = again.outcome.output.run["requirements"]
    decision = {"id": requirement["id"], "confirmation": True}
    ended = play(new_engine(), continuing(again, request, requirements=[decision]))

    assert ended.outcome.status is RunStatus.COMPLETED
    assert "is out" in ended.content


def test_the_session_goes_on_after_a_team_that_paused() -> None:
    played, request = paused(MEMBERS)
    (requirement,) = played.outcome.output.run["requirements"]
    request = continuing(played, request, requirements=[{"id": requirement["id"], "confirmation": True}])
    session = session_after(play(new_engine(), request), request)

    assert [run.run_id for run in session.runs] == ["run-1"]
    assert play(new_engine(), request_of("team/press", "hello", session=session)).outcome.status is RunStatus.COMPLETED


def check(played: Played, **decisions: Any) -> None:
    new_engine().check(Kind.TEAM, played.outcome.output, Continuation(**decisions))


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"requirements": ({"id": "other", "confirmation": True},)}, "The run has no requirement 'other'"),
        (
            {"requirements": ({"id": "x", "confirmation": 3},)},
            "Invalid structure or content for requirements: 0.confirmation: Input should be a valid boolean",
        ),
    ],
)
def test_decisions_that_do_not_fit_are_refused(sent: dict[str, Any], error: str) -> None:
    played, _ = paused(OWN)

    with pytest.raises(InvalidRequest, match=error):
        check(played, **sent)
