"""Wherever a tool waits, the decision about it arrives there, or the run does not end as if it had."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.tools import tool
from agno.workflow import Step, Workflow

from agentos_lambda.engine.continuation.calls import with_unique_calls
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.model import RunOutput
from tests.engine.playing import Played, continuing, engine_of, play, request_of

streamed = pytest.mark.parametrize("stream", [True, False])

done: list[str] = []
"""What the tools have done."""


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


@tool(requires_confirmation=True)
def publish(title: str) -> str:
    """Publish an article."""
    done.append(title)
    return f"{title} is out"


@tool(requires_user_input=True, user_input_fields=["to"])
def mail(title: str, to: str) -> str:
    """Mail an article."""
    done.append(f"{title} to {to}")
    return f"{title} went to {to}"


@tool(external_execution=True)
def fetch(title: str) -> str:
    """Fetch an article."""


TOOLS = [publish, mail, fetch]


def agent(name: str = "writer", *, tools: list[Any] | None = None) -> Agent:
    # With instructions the first call of an agent and of a team have the same id in the demo model.
    return Agent(
        id=name, name=name, model=DemoModel(), tools=TOOLS if tools is None else tools, instructions="Be brief."
    )


def team(name: str, *members: Agent | Team) -> Team:
    return Team(id=name, name=name, model=DemoModel(), members=list(members), tools=TOOLS, store_member_responses=True)


def workflow(executor: Team) -> Workflow:
    return Workflow(id="paper", name="Paper", steps=[Step(name="step", team=executor)])


SHAPES: dict[str, tuple[Callable[[], Team | Workflow], str]] = {
    "a team within a team": (lambda: team("outer", team("inner", agent())), "ask inner: ask writer: {}"),
    "three levels": (
        lambda: team("top", team("outer", team("inner", agent()))),
        "ask outer: ask inner: ask writer: {}",
    ),
    "the inner team's own": (lambda: team("outer", team("inner", agent())), "ask inner: {}"),
    "a team as a step": (lambda: workflow(team("press", agent())), "ask writer: {}"),
    "a step's team's own": (lambda: workflow(team("press", agent())), "{}"),
    "nested in a step": (lambda: workflow(team("outer", team("inner", agent()))), "ask inner: ask writer: {}"),
    "nested own in a step": (lambda: workflow(team("outer", team("inner", agent()))), "ask inner: {}"),
}

BOTH = {
    "leader first": (lambda: team("press", agent()), "{}\nask writer: {}"),
    "member first": (lambda: team("press", agent()), "ask writer: {}\n{}"),
    "in a step": (lambda: workflow(team("press", agent())), "{}\nask writer: {}"),
    "two members": (lambda: team("press", agent(), agent("reader")), "ask writer: {}\nask reader: {}"),
    "two inner teams": (
        lambda: team("press", team("a", agent()), team("b", agent())),
        "ask a: ask writer: {}\nask b: ask writer: {}",
    ),
}


def waiting(run: JsonObject) -> Iterator[JsonObject]:
    for step in run.get("step_requirements", [])[-1:]:
        yield from step["executor_requirements"]
    yield from run.get("requirements") or ()


def confirmed(requirement: JsonObject) -> None:
    requirement["confirmation"] = True


def refused(requirement: JsonObject) -> None:
    requirement["confirmation"] = False


def addressed(requirement: JsonObject) -> None:
    for field in requirement["user_input_schema"]:
        field["value"] = field["value"] or "Ada"


def fetched(requirement: JsonObject) -> None:
    requirement["external_execution_result"] = "the text"


def decided(
    make: Callable[[], Team | Workflow], message: str, decide: Callable[[JsonObject], None], *, stream: bool
) -> Played:
    component = make()
    request = request_of(f"{type(component).__name__.lower()}/{component.id}", message, stream=stream)
    paused = play(engine_of(component), request)
    assert paused.outcome.status is RunStatus.PAUSED
    run = deepcopy(paused.outcome.output.run)
    for requirement in waiting(run):
        decide(requirement)
    sent = run.get("step_requirements") or run["requirements"]
    return play(engine_of(make()), continuing(paused, request, requirements=sent))


@streamed
@pytest.mark.parametrize(
    ("call", "decide", "does", "told"),
    [
        ('call publish {"title": "x"}', confirmed, ["x"], "publish gave: x is out"),
        ('call publish {"title": "x"}', refused, [], "publish gave: Function call was rejected by the user"),
        ('call mail {"title": "x"}', addressed, ["x to Ada"], "mail gave: x went to Ada"),
        ('call fetch {"title": "x"}', fetched, [], "fetch gave: the text"),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_decision_reaches_the_tool_at_any_depth(
    *, shape: str, call: str, decide: Callable[[JsonObject], None], does: list[str], told: str, stream: bool
) -> None:
    make, message = SHAPES[shape]
    ended = decided(make, message.format(call), decide, stream=stream)

    assert ended.outcome.status is RunStatus.COMPLETED
    assert done == does
    assert told in ended.content


@streamed
@pytest.mark.parametrize("shape", BOTH)
def test_tools_that_wait_in_the_same_turn_all_get_their_decision(shape: str, stream: bool) -> None:
    make, message = BOTH[shape]
    asked = message.format('call publish {"title": "x"}', 'call publish {"title": "y"}')
    ended = decided(make, asked, confirmed, stream=stream)

    assert ended.outcome.status is RunStatus.COMPLETED
    assert sorted(done) == ["x", "y"]
    assert "publish gave: x is out" in ended.content
    assert "publish gave: y is out" in ended.content
    assert "requires human input" not in ended.content


@streamed
def test_one_of_two_is_refused_and_the_other_runs(stream: bool) -> None:
    def decide(requirement: JsonObject) -> None:
        requirement["confirmation"] = requirement["tool_execution"]["tool_args"]["title"] == "y"

    make, message = BOTH["leader first"]
    asked = message.format('call publish {"title": "x"}', 'call publish {"title": "y"}')
    ended = decided(make, asked, decide, stream=stream)

    assert done == ["y"]
    assert "publish gave: Function call was rejected by the user" in ended.content


@streamed
def test_a_decision_that_names_only_the_call_and_its_run_is_found(stream: bool) -> None:
    make, message = BOTH["leader first"]
    component = make()
    asked = message.format('call publish {"title": "x"}', 'call publish {"title": "y"}')
    request = request_of("team/press", asked, stream=stream)
    paused = play(engine_of(component), request)
    sent = [
        {"member_run_id": each.get("member_run_id"), "tool_execution": {**each["tool_execution"], "confirmed": True}}
        for each in waiting(paused.outcome.output.run)
        if each.get("member_run_id")
    ]
    request = continuing(paused, request, requirements=sent)
    again = play(engine_of(make()), request)

    assert again.outcome.status is RunStatus.PAUSED
    assert done == ["y"]
    (left,) = waiting(again.outcome.output.run)
    assert left["tool_execution"]["tool_args"]["title"] == "x"
    confirmed(left)
    ended = play(engine_of(make()), continuing(again, request, requirements=[left]))

    assert done == ["y", "x"]
    assert "publish gave: x is out" in ended.content
    assert "publish gave: y is out" in ended.content


@streamed
@pytest.mark.parametrize("tools_now", [[], [fetch]])
def test_a_confirmed_tool_that_is_no_more_is_an_error(tools_now: list[Any], stream: bool) -> None:
    request = request_of("agent/writer", 'call publish {"title": "x"}', stream=stream)
    paused = play(engine_of(agent()), request)
    tools = [{**each, "confirmed": True} for each in paused.outcome.output.run["tools"]]
    ended = play(engine_of(agent(tools=tools_now)), continuing(paused, request, tools=tools))

    assert ended.outcome.status is RunStatus.ERROR
    assert ended.content
    assert ended.content == ended.outcome.error
    if not tools_now:
        assert ended.content == "The tool publish was confirmed, but did not run"
    if stream:
        assert ended.names[-1] == "RunError"
        assert "RunCompleted" not in ended.names


@streamed
def test_a_workflow_within_a_workflow_that_waits_is_an_error(stream: bool) -> None:
    inner = workflow(team("press", agent()))
    outer = Workflow(id="outer", name="Outer", steps=[Step(name="paper", workflow=inner)])
    played = play(engine_of(outer), request_of("workflow/outer", 'call publish {"title": "x"}', stream=stream))

    assert played.outcome.status is RunStatus.ERROR
    assert "waits for a decision" in played.content
    if stream:
        assert played.names[-1] == "WorkflowError"
        assert "WorkflowCompleted" not in played.names[-2:]


def test_calls_of_one_run_keep_their_ids() -> None:
    run = {"run_id": "r", "tools": [{"tool_call_id": "call_1"}], "messages": [{"tool_calls": [{"id": "call_1"}]}]}

    assert with_unique_calls(RunOutput(run)) == (RunOutput(run), {})


def test_a_members_call_gets_an_id_of_its_own_wherever_it_is_named() -> None:
    member = {
        "run_id": "m",
        "tools": [{"tool_call_id": "call_1"}],
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "call_1"}]},
            {"role": "tool", "tool_call_id": "call_1"},
        ],
    }
    requirement = {"member_run_id": "m", "tool_execution": {"tool_call_id": "call_1"}}
    run = {"run_id": "r", "tools": [{"tool_call_id": "call_1"}], "requirements": [requirement]}
    paused, former = with_unique_calls(RunOutput(run, (member,)))
    (new,) = former

    assert former == {new: "call_1"}
    assert paused.run["tools"] == [{"tool_call_id": "call_1"}]
    assert paused.run["requirements"][0]["tool_execution"]["tool_call_id"] == new
    assert paused.members[0]["tools"] == [{"tool_call_id": new}]
    assert paused.members[0]["messages"] == [
        {"role": "assistant", "tool_calls": [{"id": new}]},
        {"role": "tool", "tool_call_id": new},
    ]
