"""Output that its component wants held back: nobody sees it before its checks have passed, wherever they look."""

import json
from dataclasses import replace
from typing import Any

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.workflow import HumanReview, OnError, Step, StepInput, StepOutput, Workflow

from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.models import demo
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.models.demo_rules import Reply, reply_to
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import JsonObject, RunStatus
from tests.differential.servers import Asked, Ours
from tests.engine.playing import Played, cancelling_at, continuing, engine_of, play, request_of
from tests.engine.samples import delete
from tests.engine.test_blocked_output import TEXT, block, quiet, shouter

streamed = pytest.mark.parametrize("stream", [True, False])

HELD = {"hold_output": True}


def held(kind: str, *checks: object) -> object:
    options: dict[str, Any] = {"model": DemoModel(), "metadata": HELD, "post_hooks": list(checks) or None}
    if kind == "agent":
        return Agent(id="c", name="c", **options)
    if kind == "team":
        return Team(id="c", name="C", members=[quiet()], **options)
    step = Step(name="shout", agent=shouter(*checks) if checks else quiet())
    return Workflow(id="c", name="C", steps=[step], metadata=HELD)


@pytest.mark.parametrize("kind", ["agent", "team"])
def test_held_output_is_not_streamed_when_it_is_blocked(kind: str) -> None:
    played = play(engine_of(held(kind, block)), request_of(f"{kind}/c", "ask quiet: hello"))

    assert TEXT not in json.dumps(played.events)
    prefix = "Run" if kind == "agent" else "TeamRun"
    assert played.names == [f"{prefix}Started", f"{prefix}Error"]
    assert not played.outcome.withdrawn


@pytest.mark.parametrize("kind", ["agent", "team", "workflow"])
def test_held_output_is_streamed_whole_when_its_checks_have_passed(kind: str) -> None:
    component = held(kind)
    request = request_of(f"{kind}/c", "ask quiet: hello")
    played = play(engine_of(component), request)
    component.metadata = None
    free = play(engine_of(component), request)

    assert played.outcome.status is RunStatus.COMPLETED
    assert played.names == free.names
    assert played.content == free.content


@pytest.mark.parametrize("kind", ["agent", "team"])
def test_held_output_of_a_run_that_was_cancelled_is_not_shown(kind: str) -> None:
    played = play(
        engine_of(held(kind, block)),
        request_of(f"{kind}/c", "[slow 20ms] hello"),
        seeing=cancelling_at("RunStarted" if kind == "agent" else "TeamRunStarted"),
    )

    assert played.outcome.status is RunStatus.CANCELLED
    assert played.content == "Run run-1 was cancelled"
    told = [event.get("content") for event in played.events[1:]]
    assert set(told) <= {"Run run-1 was cancelled", None}


def test_an_error_of_a_held_run_is_told() -> None:
    played = play(engine_of(held("agent")), request_of("agent/c", "[fail out of ink]"))

    assert (played.outcome.status, played.content) == (RunStatus.ERROR, "out of ink")


SECRET = "classified"
DELETE = 'call delete {"what": "all"}'
LOOK_UP = f"call look_up\n{DELETE}"


def look_up() -> str:
    """Look something up."""
    return "class" + "ified"


@pytest.fixture(autouse=True)
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo model says what it thinks when it calls a tool."""

    def reply(*arguments: Any, **options: Any) -> Reply:
        said = reply_to(*arguments, **options)
        return replace(said, words=[SECRET]) if said.tool_calls else said

    monkeypatch.setattr(demo, "reply_to", reply)


def clerk(check: object = None, **options: Any) -> Agent:
    return Agent(
        id="clerk", name="clerk", model=DemoModel(), tools=[look_up, delete], post_hooks=[check or passes], **options
    )


def office(*members: Agent | Team, name: str = "office", check: object = None, **options: Any) -> Team:
    model, tools = DemoModel(), [look_up, delete]
    return Team(
        id=name, name=name, model=model, members=list(members), tools=tools, post_hooks=[check or passes], **options
    )


def passes(run_output: object) -> None:
    """A check that lets everything through."""


def find_out(step_input: StepInput) -> StepOutput:
    return StepOutput(content=look_up())


def send(step_input: StepInput) -> StepOutput:
    return StepOutput(content="sent")


def flow(*steps: Step, **options: Any) -> Workflow:
    return Workflow(id="flow", name="flow", steps=list(steps), **options)


PAUSING = {
    "agent": (lambda: clerk(metadata=HELD), LOOK_UP),
    "team": (lambda: office(clerk(), metadata=HELD), LOOK_UP),
    "team with a member that waits": (lambda: office(clerk(), metadata=HELD), f"ask clerk: {DELETE}"),
    "team around a team": (
        lambda: office(office(clerk(), name="desk"), metadata=HELD),
        f"ask desk: ask clerk: {DELETE}",
    ),
    "agent in a step": (lambda: flow(Step(name="s", agent=clerk(metadata=HELD))), LOOK_UP),
    "team in a step": (lambda: flow(Step(name="s", team=office(clerk(), metadata=HELD))), f"ask clerk: {DELETE}"),
    "workflow": (lambda: flow(Step(name="s", agent=clerk()), metadata=HELD), LOOK_UP),
    "workflow that has begun": (
        lambda: flow(
            Step(name="find", executor=find_out),
            Step(name="send", executor=find_out, human_review=HumanReview(requires_confirmation=True)),
            metadata=HELD,
        ),
        "go",
    ),
    "workflow with a review": (
        lambda: flow(
            Step(name="find", executor=find_out),
            Step(name="send", executor=send, human_review=HumanReview(requires_output_review=True)),
            metadata=HELD,
        ),
        "go",
    ),
}  # fmt: skip


def decided(run: JsonObject) -> dict[str, list[JsonObject]]:
    """Yes to all that the run waits for."""
    asked = run.get("requirements") or run["step_requirements"]
    return {
        "requirements": [
            {
                **each,
                "confirmation": True,
                "confirmed": True,
                "executor_requirements": [
                    {**inner, "confirmation": True} for inner in each.get("executor_requirements", ())
                ],
            }
            for each in asked
        ]
    }


def told(played: Played) -> str:
    """All that can be seen of a run: its answer, its events, and what is stored for its readers."""
    output = played.outcome.output
    return json.dumps([played.outcome.answer, played.events, output.run, output.members])


@streamed
@pytest.mark.parametrize("shape", PAUSING)
def test_a_held_run_that_waits_shows_nothing_of_its_output_and_goes_on(shape: str, stream: bool) -> None:
    make, message = PAUSING[shape]
    component = make()
    request = request_of(f"{type(component).__name__.lower()}/{component.id}", message, stream=stream)
    engine = engine_of(component)
    paused = play(engine, request)

    assert paused.outcome.status is RunStatus.PAUSED
    assert SECRET not in told(paused)
    if DELETE in message:
        assert '{"what": "all"}' in told(paused), "what is to be confirmed has to be seen"
    ended = play(engine, continuing(paused, request, **decided(paused.outcome.output.run)))
    assert ended.outcome.status is RunStatus.COMPLETED
    assert SECRET in json.dumps([ended.outcome.output.run, ended.outcome.output.members]), "nothing was lost"
    assert DELETE not in message or "all is gone" in json.dumps(
        [ended.outcome.output.run, ended.outcome.output.members]
    )


@pytest.mark.parametrize("held", ["member", "team within"])
def test_only_the_parts_that_ask_for_it_are_held(held: str) -> None:
    inner = clerk(metadata=HELD) if held == "member" else office(clerk(), name="desk", metadata=HELD)
    ask = f"ask clerk: {DELETE}" if held == "member" else f"ask desk: ask clerk: {DELETE}"
    paused = play(engine_of(office(inner)), request_of("team/office", ask))

    assert paused.outcome.status is RunStatus.PAUSED
    assert SECRET in paused.content, "the leader has not asked for it"
    assert SECRET not in json.dumps(paused.outcome.output.members)
    assert SECRET not in json.dumps([each for each in paused.events if each["event"].startswith("Run")])


@streamed
def test_a_held_run_that_went_on_and_is_blocked_was_never_shown(stream: bool) -> None:
    engine, request = engine_of(clerk(block, metadata=HELD)), request_of("agent/clerk", LOOK_UP, stream=stream)
    paused = play(engine, request)
    ended = play(engine, continuing(paused, request, **decided(paused.outcome.output.run)))

    assert (ended.outcome.status, ended.content) == (RunStatus.ERROR, "do not shout")
    assert SECRET not in told(paused) + told(ended)


@streamed
@pytest.mark.parametrize("ending", [RunStatus.ERROR, RunStatus.CANCELLED])
@pytest.mark.parametrize("shape", ["team", "workflow"])
def test_what_worked_for_a_held_run_that_came_to_no_good_is_not_shown(
    shape: str, ending: RunStatus, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[AgnoRun] = []

    def reply(messages: Any, *arguments: Any, **options: Any) -> Reply:
        said = reply_to(messages, *arguments, **options)
        if SECRET not in json.dumps([each.content for each in messages], default=str):
            return said
        if ending is RunStatus.ERROR:
            raise RuntimeError("out of ink")
        running[0].cancel()
        return Reply(hang=True)

    monkeypatch.setattr(demo, "reply_to", reply)
    last = Step(name="l", agent=quiet(), human_review=HumanReview(on_error=OnError.fail), max_retries=0)
    component: Any = office(clerk(), metadata=HELD)
    if shape == "workflow":
        component = flow(Step(name="f", executor=find_out), last, metadata=HELD)
    request = request_of(f"{shape}/{component.id}", "call look_up\nask clerk: hello", stream=stream)
    played = play(engine_of(component), request, first=running.append)

    assert played.outcome.status is ending
    assert played.content.endswith("out of ink" if ending is RunStatus.ERROR else "Run run-1 was cancelled")
    assert SECRET not in told(played)
    assert "I am the demo model" not in told(played)


@pytest.fixture(scope="module")
def ours() -> Ours:
    return Ours(Components([clerk(metadata=HELD)], [], []))


def test_no_route_shows_the_output_of_a_held_run_that_waits(ours: Ours) -> None:
    run, about = "/agents/clerk/runs", {"run_id": "r", "session_id": "s"}
    form = {"message": LOOK_UP, "stream": "true", **about}
    answers = [ours.ask(Asked("POST", run, form=form), second=1).text]
    paths = (f"{run}/r", f"{run}?session_id=s", "/sessions/s", "/sessions/s/runs", "/sessions/s/runs/r",
             "/sessions/s/run-previews")  # fmt: skip
    answers += [ours.ask(Asked("GET", path), second=2).raise_for_status().text for path in paths]
    answers.append(ours.ask(Asked("POST", f"{run}/r/resume"), second=3).text)

    assert all("PAUSED" in answer or "RunPaused" in answer for answer in answers if "chat_history" not in answer)
    assert SECRET not in "".join(answers)
    decisions = decided(ours.ask(Asked("GET", f"{run}/r"), second=4).json())
    ended = ours.ask(
        Asked(
            "POST", f"{run}/r/continue", form={"requirements": json.dumps(decisions["requirements"]), "stream": "false"}
        ),
        second=5,
    )
    assert ended.json()["status"] == "COMPLETED"
    assert SECRET in ended.text


def test_a_held_run_that_was_cancelled_while_it_waited_keeps_nothing_of_it(ours: Ours) -> None:
    form = {"message": LOOK_UP, "run_id": "cancelled", "session_id": "another"}
    ours.ask(Asked("POST", "/agents/clerk/runs", form=form), second=6).raise_for_status()
    ours.ask(Asked("POST", "/agents/clerk/runs/cancelled/cancel"), second=7).raise_for_status()
    record = ours.world.store.get("cancelled")

    assert record is not None
    assert record.status is RunStatus.CANCELLED
    assert SECRET not in repr(ours.world.store.output(record))
