import json

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.run import RunContext
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.runs.model import Session, SessionDelta
from tests.engine.playing import engine_of, play, request_of, session_after


def after(engine: AgnoEngine, component: str, *messages: str, **first: object) -> Session:
    """The session after these messages, each run in a process of its own as far as it can tell."""
    session: Session | None = None
    for number, message in enumerate(messages):
        request = request_of(
            component, message, run_id=f"run-{number}", session=session, **(first if not number else {})
        )
        session = session_after(play(engine, request), request)
    assert session is not None
    return session


@pytest.mark.parametrize("stream", [True, False])
def test_an_agent_with_history_remembers_the_run_before(engine: AgnoEngine, stream: bool) -> None:
    session = after(engine, "agent/companion", "my name is Ada")

    played = play(
        engine, request_of("agent/companion", "what did I say?", session=session, stream=stream, run_id="run-9")
    )

    assert played.content == 'You said: "my name is Ada"'


def test_history_is_there_however_often_it_is_read(engine: AgnoEngine) -> None:
    session = after(engine, "agent/companion", "one", "two", "three")

    for _ in range(2):
        again = play(engine, request_of("agent/companion", "what did I say?", session=session, run_id="run-9"))
        assert again.content == 'You said: "three"'


def test_an_agent_without_history_remembers_nothing(engine: AgnoEngine) -> None:
    session = after(engine, "agent/assistant", "my name is Ada")

    played = play(engine, request_of("agent/assistant", "what did I say?", session=session, run_id="run-9"))

    assert played.content == "You have not said anything before."


def test_a_team_with_history_sees_its_own_runs_and_not_its_members(newsroom: Team) -> None:
    newsroom.add_history_to_context = True
    engine = engine_of(newsroom)
    session = after(engine, "team/newsroom", "ask writer: something else")

    played = play(engine, request_of("team/newsroom", "what did I say?", session=session, run_id="run-9"))

    assert played.content == 'You said: "ask writer: something else"'


def test_a_member_with_history_sees_its_own_earlier_runs(newsroom: Team) -> None:
    for member in newsroom.members:
        member.add_history_to_context = True
    engine = engine_of(newsroom)
    session = after(engine, "team/newsroom", "ask writer: my name is Ada")

    played = play(engine, request_of("team/newsroom", "ask writer: what did I say?", session=session, run_id="run-9"))

    assert "my name is Ada" in played.content


def test_a_workflow_with_history_tells_its_steps(letter: Workflow) -> None:
    letter.add_workflow_history_to_steps = True
    engine = engine_of(letter)
    session = after(engine, "workflow/letter", "my name is Ada")

    played = play(engine, request_of("workflow/letter", "and now?", session=session, run_id="run-9"))

    assert "MY NAME IS ADA" in played.content


def test_a_run_says_which_keys_of_the_state_it_set(engine: AgnoEngine) -> None:
    message = 'call remember {"key": "mood", "value": "good"}'
    delta = play(engine, request_of("agent/assistant", message)).outcome.session

    assert {name: value for name, value in delta.set.items() if name.startswith("state:")} == {"state:mood": "good"}
    assert delta.remove == frozenset()


@pytest.mark.parametrize("stream", [True, False])
def test_a_run_may_set_five_thousand_keys_and_a_later_one_change_a_few(stream: bool) -> None:
    def fill(run_context: RunContext, first: int, count: int) -> str:
        """Set keys of the state."""
        run_context.session_state |= {f"key {place}": [place] for place in range(first, first + count)}
        return "done"

    engine = engine_of(Agent(id="filler", model=DemoModel(), tools=[fill]))
    session = after(engine, "agent/filler", 'call fill {"first": 0, "count": 5000}')
    assert len(state_of(session.fields)) == 5000

    message = 'call fill {"first": 4998, "count": 4}'
    delta = play(engine, request_of("agent/filler", message, session=session, stream=stream)).outcome.session
    assert state_of(delta.set) == {"state:key 5000": [5000], "state:key 5001": [5001]}
    assert delta.remove == frozenset()


def state_of(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name.startswith("state:")}


@pytest.mark.parametrize("stream", [True, False])
def test_a_run_says_which_keys_it_changed_and_which_it_removed(engine: AgnoEngine, stream: bool) -> None:
    state = {"mood": "good", "town": "Oslo", "food": "fish"}
    session = after(engine, "agent/assistant", "hello", session_state=state)

    def delta(message: str) -> SessionDelta:
        request = request_of("agent/assistant", message, session=session, run_id="run-9", stream=stream)
        return play(engine, request).outcome.session

    changed = delta('call remember {"key": "mood", "value": "bad"}')
    assert (state_of(changed.set), changed.remove) == ({"state:mood": "bad"}, frozenset())
    renamed = delta('call rename {"old": "town", "new": "city"}')
    assert (state_of(renamed.set), renamed.remove) == ({"state:city": "Oslo"}, {"state:town"})


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/letter"])
def test_the_callers_session_state_becomes_the_sessions(engine: AgnoEngine, component: str) -> None:
    given = {"cart": ["book"]}
    session = after(engine, component, "hello", session_state=given)

    assert session.fields["state:cart"] == ["book"]
    assert given == {"cart": ["book"]}


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/letter"])
def test_a_session_keeps_what_a_later_run_does_not_touch(engine: AgnoEngine, component: str) -> None:
    session = after(engine, component, "hello", session_state={"cart": ["book"]})
    named = {**session.fields, "data:session_name": "Shopping", "summary": None, "of_somebody_else": 1}
    session = Session(**{name: getattr(session, name) for name in Session.__slots__ if name != "fields"}, fields=named)

    delta = play(engine, request_of(component, "again", session=session, run_id="run-9")).outcome.session

    assert "state:cart" not in delta.set
    assert "data:session_name" not in delta.set
    assert delta.remove <= {"summary"}


COMPONENTS = ["agent/assistant", "agent/companion", "team/newsroom", "workflow/letter"]


@pytest.mark.parametrize("second", COMPONENTS)
@pytest.mark.parametrize("first", COMPONENTS)
def test_components_that_share_a_session_share_its_state(engine: AgnoEngine, first: str, second: str) -> None:
    session = after(engine, first, "hello", session_state={"cart": ["book"], "town": "Oslo"})

    request = request_of(second, "hello", session=session, run_id="run-9", session_state={"cart": ["pen"]})
    delta = play(engine, request).outcome.session

    assert state_of(delta.set) == {"state:cart": ["pen"]}
    assert delta.remove == frozenset()


@pytest.mark.parametrize("first", COMPONENTS)
def test_a_part_with_a_database_of_its_own_does_not_take_a_session_that_another_began(
    engine: AgnoEngine, newsroom: Team, first: str
) -> None:
    session = after(engine, first, "hello", session_state={"cart": ["book"]})
    newsroom.members[0].db = InMemoryDb()

    request = request_of("team/newsroom", "ask writer: hi", session=session, run_id="run-9", session_state={"a": 1})
    delta = play(engine_of(newsroom), request).outcome.session

    assert state_of(delta.set) == {"state:a": 1}
    assert delta.remove == frozenset()


def test_the_state_of_one_run_alone_is_not_kept(engine: AgnoEngine) -> None:
    for component in ("agent/assistant", "team/newsroom", "workflow/letter"):
        fields = play(engine, request_of(component, "hello")).outcome.session.set
        assert not {name for name in fields if name.startswith("state:current_")}


def test_session_metrics_add_up_over_runs(engine: AgnoEngine) -> None:
    one = after(engine, "agent/assistant", "hello").fields["data:session_metrics"]["total_tokens"]
    two = after(engine, "agent/assistant", "hello", "hello").fields["data:session_metrics"]["total_tokens"]

    assert two == 2 * one


def test_a_run_in_a_long_session_leaves_no_more_than_one_in_a_short_session(engine: AgnoEngine) -> None:
    session = after(engine, "agent/companion", *["hello"] * 4)
    assert session.runs[0].output.run["run_id"] == "run-0"

    last = play(engine, request_of("agent/companion", "bye", session=session, run_id="run-9")).outcome.output

    assert [message["content"] for message in last.run["messages"] if message["role"] == "user"] == ["bye"]
    assert len(json.dumps(last.run)) < 2 * len(json.dumps(session.runs[-1].output.run))


def test_a_workflow_within_a_workflow_does_not_take_its_session() -> None:
    database = object()
    inner = Workflow(id="inner", name="Inner", steps=[Agent(id="writer", model=DemoModel())])
    inner.db = database
    outer = Workflow(id="outer", name="Outer", steps=[Step(name="inner", workflow=inner)])

    played = play(engine_of(outer), request_of("workflow/outer", "dear", session_state={"cart": ["book"]}))

    assert played.outcome.session.set["workflow_data"]["name"] == "Outer"
    assert played.outcome.session.set["state:cart"] == ["book"]
    assert inner.db is database


def test_a_component_whose_part_has_a_database_of_its_own_writes_nothing_to_it() -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"the run touched {name} of a deployed database")

    writer = Agent(id="writer", model=DemoModel())
    writer.db = Untouchable()
    letter = Workflow(id="letter", name="Letter", steps=[Step(name="write", agent=writer)])
    letter.db = Untouchable()

    played = play(engine_of(letter), request_of("workflow/letter", "dear"))

    assert "dear" in played.content
