"""Earlier sessions of a user: what a run finds of them, compared with agno on its own database."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from agno.db.base import SessionType
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.past_sessions import RunPastSessions
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord, Session
from agentos_lambda.stores.memory import MemoryStore
from tests.differential.servers import ORACLE
from tests.engine.past_sessions_on_sqlite import ASKED, COMPONENTS, SAID, SEARCH, agent, result_of
from tests.engine.playing import Played, engine_of, play, request_of
from tests.process import ROOT
from tests.stores.builders import ending, running


class Conversations:
    """Runs of a component, one after the other, in a store."""

    def __init__(self, component: Any) -> None:
        self.component = component
        self.store = MemoryStore()
        self.engine = engine_of(component)
        self.kind = Kind(type(component).__name__.lower())
        self.number = 0

    def say(self, message: str, session_id: str, user_id: str | None = "ada") -> Played:
        self.number += 1
        about: Any = {"session_id": session_id, "user_id": user_id, "run_id": f"run-{self.number}"}
        request = request_of(f"{self.kind}/{self.component.id}", message, stream=False, **about)
        record: RunRecord = self.store.accept(
            running(kind=self.kind, component_id=self.component.id, accepted_at=1_000 * self.number, **about)
        )
        played = play(self.engine, replace(request, past=self.store, session=self.store.find(session_id)))
        outcome = played.outcome
        self.store.commit(ending(record, outcome.status, output=outcome.output, session=outcome.session))
        return played

    def found(self, session_id: str = "now", user_id: str | None = "ada", tool: str = SEARCH) -> str:
        return result_of(self.say(tool, session_id, user_id).outcome.output.run, tool.split()[1])

    def ids(self, **asked: Any) -> list[str]:
        return [each["session_id"] for each in json.loads(self.found(**asked))]


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, dict[str, str]]:
    """What agno answers, by component and message."""
    command = [ORACLE, "-m", "tests.engine.past_sessions_on_sqlite"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers/agentos_lambda")])
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    answers: dict[str, dict[str, str]] = json.loads(done.stdout)
    return answers


def without_times(result: str) -> str:
    """Times are of two clocks."""
    return re.sub(r"(created_at\": \"|Created: )\d+", r"\1", result)


@pytest.mark.comparisons
@pytest.mark.parametrize("component", COMPONENTS)
def test_tools_answer_as_they_do_on_sqlite(on_sqlite: dict[str, dict[str, str]], component: str) -> None:
    ours = Conversations(COMPONENTS[component]())
    for session_id, text in SAID:
        ours.say(text, session_id)

    for message in ASKED:
        assert without_times(ours.found(tool=message)) == without_times(on_sqlite[component][message])


def test_the_newest_sessions_come_first_and_no_more_of_them_and_of_their_runs_than_are_wanted() -> None:
    talk = Conversations(agent(num_past_sessions_to_search=3, num_past_session_runs_in_search=2))
    for session_id in ("a", "b", "c", "now"):
        for text in ("one", "two", "three"):
            talk.say(f"{text} of {session_id}", session_id)

    found = json.loads(talk.found())

    assert [each["session_id"] for each in found] == ["c", "b"]  # the third is the run's own
    assert [run["user"] for run in found[0]["runs"]] == ["one of c", "two of c"]


def test_nobody_finds_what_is_somebody_else_s() -> None:
    talk = Conversations(agent())
    talk.say("I am Ada", "adas")
    talk.say("I am Bob", "bobs", "bob")
    talk.say("I am nobody", "nobodys", None)
    talk.say("so am I, says Ada", "nobodys", "ada")

    assert talk.ids() == ["adas"]
    assert talk.ids(session_id="bobs-now", user_id="bob") == ["bobs"]
    found = talk.found(session_id="nobodys-now", user_id=None)
    assert [each["session_id"] for each in json.loads(found)] == ["nobodys"]
    assert "I am nobody" in found
    assert "Ada" not in found
    for session_id in ("bobs", "nobodys"):
        read = talk.found(tool=f'call read_past_session {{"session_id": "{session_id}"}}')
        assert read == "Session not found."
    asked = 'call read_past_session {"session_id": "adas"}'
    assert talk.found(session_id="nobodys-now", user_id=None, tool=asked) == "Session not found."


def test_a_member_and_a_step_find_sessions_of_agents_though_they_have_no_database() -> None:
    writer = agent(id="writer", name="writer")
    talk = Conversations(Team(id="team", name="team", model=DemoModel(), members=[writer]))
    talk.store.create(Session("alone", Kind.AGENT, "writer", "ada", 1, 1))
    talk.store.commit(
        ending(
            talk.store.accept(running("said", session_id="alone", component_id="writer", user_id="ada")),
            output=play(engine_of(agent(id="writer")), request_of("agent/writer", "said alone")).outcome.output,
        )
    )

    (member,) = talk.say(f"ask writer: {SEARCH}", "now").outcome.output.members
    assert "said alone" in result_of(member, "search_past_sessions")

    flow = Workflow(id="flow", name="flow", steps=[Step(name="step", agent=agent(id="writer", name="writer"))])
    request = replace(request_of("workflow/flow", SEARCH), past=talk.store)
    assert "said alone" in json.dumps(play(engine_of(flow), request).outcome.output.run)


class Unavailable:
    def past_sessions(self, kind: Kind, user_id: str | None, *, limit: int, runs: int) -> Sequence[Session]:
        raise StoreUnavailable("The store did not answer.")

    def past_session(self, session_id: str, user_id: str | None, *, runs: int) -> Session | None:
        raise StoreUnavailable("The store did not answer.")


def test_a_run_goes_on_without_sessions_that_cannot_be_read_and_its_model_is_told() -> None:
    played = play(engine_of(agent()), replace(request_of("agent/agent", SEARCH), past=Unavailable()))

    assert played.outcome.status is RunStatus.COMPLETED
    assert "The store did not answer." in result_of(played.outcome.output.run, "search_past_sessions")


def database(talk: Conversations) -> RunDatabase:
    past = RunPastSessions(talk.store, "ada", "now")
    return RunDatabase("run", Kind.AGENT, "agent", None, past=past)  # type: ignore[abstract]


def test_a_tool_of_the_component_reads_no_more_than_its_user_s_sessions() -> None:
    talk = Conversations(agent())
    talk.say("I am Ada", "adas")
    talk.say("I am Bob", "bobs", "bob")
    asked: Any = {"session_type": SessionType.AGENT, "sort_by": "created_at", "sort_order": "desc"}

    async def run() -> None:
        everybody = await database(talk).get_sessions(**asked)
        assert [each.session_id for each in everybody] == ["adas"]
        assert await database(talk).get_sessions(**asked, user_id="bob") == []
        assert await database(talk).get_session("bobs", user_id="bob") is None
        with pytest.raises(NotImplementedError, match="get sessions"):
            await database(talk).get_sessions(SessionType.AGENT, session_name="I am")

    asyncio.run(run())
