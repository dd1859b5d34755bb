"""A component's introduction is the first thing said in a session, for its model and for those who read the session."""

import json
from typing import Any

import pytest
from agno.agent import Agent
from agno.team import Team

from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.differential.servers import Asked, Ours
from tests.engine.playing import continuing, engine_of, play, request_of, session_after
from tests.engine.samples import add, delete
from tests.engine.slicing import in_slices

WELCOME = "Welcome!"


def greeter() -> Agent:
    return Agent(
        id="greeter", model=DemoModel(), introduction=WELCOME, add_history_to_context=True, tools=[add, delete]
    )


def greeters() -> Team:
    member = Agent(id="member", name="member", model=DemoModel(), introduction="Nobody hears this.")
    return Team(id="greeters", model=DemoModel(), introduction=WELCOME, add_history_to_context=True, members=[member])


@pytest.fixture(scope="module")
def server() -> Ours:
    return Ours(Components([greeter()], [greeters()], []))


@pytest.mark.parametrize(("kind", "component"), [("agent", "greeter"), ("team", "greeters")])
def test_an_introduction_is_the_first_run_of_its_session(server: Ours, kind: str, component: str) -> None:
    def ask(path: str, **more: Any) -> Any:
        asked = Asked("POST" if more else "GET", path, **more)
        return server.ask(asked, second=1).raise_for_status().json()

    session = f"of-{kind}"
    for number in range(2):
        form = {"message": "ask member: hi", "session_id": session, "run_id": f"{kind}-{number}"}
        answered = ask(f"/{kind}s/{component}/runs", form=form)
        assert WELCOME in [message.get("content") for message in answered["messages"] if message["from_history"]]
        read = ask(f"/{kind}s/{component}/runs/{kind}-{number}")
        assert WELCOME not in json.dumps(read.get("member_responses", []))

    history = ask(f"/sessions/{session}?type={kind}")["chat_history"]
    assert [message.get("content") for message in history].count(WELCOME) == 1
    assert history[0]["content"] == WELCOME
    for name in ("runs", "run-previews"):
        first, *others = ask(f"/sessions/{session}/{name}?type={kind}")
        assert (first.get("content", first.get("content_preview")), first["status"]) == (WELCOME, "COMPLETED")
        assert WELCOME not in [each.get("content", each.get("content_preview")) for each in others]
    assert ask(f"/sessions/{session}/runs/{first['run_id']}?type={kind}")["content"] == WELCOME


def test_an_introduction_outlives_a_pause_and_slices() -> None:
    engine = engine_of(greeter())
    request = request_of("agent/greeter", 'call delete {"what": "all"}', stream=False)
    paused = play(engine, request)
    tools = [{**tool, "confirmed": True} for tool in paused.outcome.output.run["tools"]]
    ended = play(engine, continuing(paused, request, tools=tools))
    sliced = in_slices(engine, request_of("agent/greeter", "add 1 and 2"))

    for played in (paused, ended, sliced):
        introduction = played.outcome.output.introduction
        assert introduction is not None
        assert introduction["content"] == WELCOME
    assert (ended.outcome.status, sliced.outcome.status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)
    assert session_after(ended, request).runs[0].output.introduction == ended.outcome.output.introduction
