from functools import partial
from typing import Any

import pytest
from agno.agent import Agent
from agno.run.agent import RunInput
from agno.session import AgentSession
from agno.team import Team
from agno.tools import Toolkit, tool
from agno.workflow import Condition, Loop, Parallel, Router, Step, StepInput, Steps, Workflow

from agentos_lambda.engine.components.history import WHOLE_SESSION, history_runs
from agentos_lambda.engine.models.demo import DemoModel
from tests.engine.playing import engine_of, play, request_of, session_after

FIVE = {"add_history_to_context": True, "num_history_runs": 5}


def test_who_wants_no_history_gets_none() -> None:
    assert history_runs(Agent(num_history_runs=7)) == 0
    assert history_runs(Team(members=[Agent()])) == 0
    assert history_runs(Workflow(name="w", steps=[Step(name="s", agent=Agent())])) == 0


def test_an_agent_gets_as_many_runs_as_it_wants() -> None:
    assert history_runs(Agent(add_history_to_context=True)) == 3
    assert history_runs(Agent(**FIVE)) == 5
    assert history_runs(Agent(add_history_to_context=True, num_history_messages=8)) == 8


@pytest.mark.parametrize(
    "option",
    ["read_chat_history", "read_tool_call_history", "enable_session_summaries", "search_past_sessions", "learning"],
)
def test_who_reads_everything_gets_much(option: str) -> None:
    assert history_runs(Agent(**{option: True})) == WHOLE_SESSION


def test_who_has_a_tool_for_media_gets_those_of_the_whole_session() -> None:
    def look(images: list) -> str:
        return str(images)

    def read(files: list) -> str:
        return str(files)  # agno gives those of the run itself

    for tools in ([look], [tool(look)], [Toolkit(tools=[look])]):
        assert history_runs(Agent(tools=tools)) == WHOLE_SESSION
        assert history_runs(Team(members=[], tools=tools)) == WHOLE_SESSION
    assert history_runs(Agent(tools=[read, len, {"type": "web_search"}])) == 0


@pytest.mark.parametrize("kind", ["pre_hooks", "post_hooks"])
def test_who_has_a_hook_that_is_given_the_session_gets_all_of_it(kind: str) -> None:
    def count(session: object) -> None: ...

    def check(run_input: object) -> None: ...

    assert history_runs(Agent(**{kind: [check, count]})) == WHOLE_SESSION
    assert history_runs(Team(members=[], **{kind: [count]})) == WHOLE_SESSION
    assert history_runs(Agent(**{kind: [check]})) == 0


def test_a_hook_sees_the_earlier_runs_of_its_session() -> None:
    def count(run_input: RunInput, session: AgentSession) -> None:
        run_input.input_content = f"run {len(session.runs or [])}"

    agent = Agent(id="a", model=DemoModel(), pre_hooks=[count])
    request = request_of("agent/a", "hi", run_id="run-0")
    later = request_of("agent/a", "hi", session=session_after(play(engine_of(agent), request), request))

    assert play(engine_of(agent), later).content.endswith("run 1")


def test_a_member_gets_much_since_it_may_have_worked_in_few_runs_of_its_team() -> None:
    inner = Team(members=[Agent(**FIVE)])
    assert history_runs(Team(members=[Agent(), inner])) == WHOLE_SESSION
    assert history_runs(Team(members=[Agent(**FIVE)], add_history_to_context=True)) == WHOLE_SESSION


def test_a_team_gets_what_it_wants() -> None:
    assert history_runs(Team(members=[Agent()], add_history_to_context=True, num_history_runs=9)) == 9
    assert history_runs(Team(members=[Agent()], add_team_history_to_members=True, num_team_history_runs=4)) == 4


def test_members_that_are_chosen_at_run_time_may_want_everything() -> None:
    assert history_runs(Team(members=lambda: [Agent()])) == WHOLE_SESSION


async def said(agent: Agent) -> str:
    return str(await agent.aget_chat_history(session_id="session-1"))


def named(agent: Agent) -> str:
    return str(agent.name)


class Asked:
    """An object that is called, whose code does it in a function within another."""

    def __call__(self, step_input: StepInput) -> bool:
        def runs() -> list[tuple[str, str]]:
            return step_input.get_workflow_history(num_runs=9)

        return bool(runs())


def test_a_function_that_looks_back_gets_much() -> None:
    for functions in (
        {"tools": [said]},
        {"tools": [tool(said)]},
        {"pre_hooks": [partial(said)]},
        {"instructions": said},
    ):
        assert history_runs(Agent(**functions)) == WHOLE_SESSION
        assert history_runs(Team(members=[], **functions)) == WHOLE_SESSION
    assert history_runs(Agent(tools=[named, len], pre_hooks=[named], instructions=named)) == 0


@pytest.mark.parametrize(
    "step",
    [
        Asked(),
        Step(name="s", executor=lambda step_input: step_input.workflow_session),
        Condition(name="c", evaluator=Asked(), steps=[]),
        Router(name="r", choices=[], selector=Asked()),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_whose_function_looks_back_gets_much(step: Any) -> None:
    assert history_runs(Workflow(name="w", steps=[Steps(name="group", steps=[step])])) == WHOLE_SESSION


@pytest.mark.parametrize(
    "steps",
    [
        [Agent(**FIVE)],
        [Team(members=[Agent(**FIVE)])],
        [Step(name="s", agent=Agent(**FIVE))],
        [Steps(name="s", steps=[Step(name="s", agent=Agent(**FIVE))])],
        [Loop(name="l", steps=[Step(name="s", agent=Agent(**FIVE))])],
        [Parallel(Step(name="s", agent=Agent(**FIVE)), name="p")],
        [Condition(name="c", evaluator=True, steps=[], else_steps=[Step(name="s", agent=Agent(**FIVE))])],
        [Router(name="r", choices=[Step(name="s", agent=Agent(**FIVE))], selector=lambda _: [])],
        [Step(name="s", workflow=Workflow(name="inner", steps=[Agent(**FIVE)]))],
        [Step(name="s", agent=Agent(), add_workflow_history=True, num_history_runs=5)],
    ],
    ids=lambda steps: type(steps[0]).__name__,
)
def test_a_workflow_gets_what_any_step_wants(steps: list) -> None:
    assert history_runs(Workflow(name="w", steps=steps)) == 5


def test_a_workflow_with_history_gets_its_own_number() -> None:
    workflow = Workflow(name="w", steps=[Agent()], add_workflow_history_to_steps=True, num_history_runs=6)
    assert history_runs(workflow) == 6


def test_a_step_of_a_workflow_with_history_has_a_number_of_its_own() -> None:
    step = Step(name="s", agent=Agent(), num_history_runs=8)
    assert history_runs(Workflow(name="w", steps=[step], add_workflow_history_to_steps=True)) == 8
    without = Step(name="s", agent=Agent(), num_history_runs=8, add_workflow_history=False)
    assert history_runs(Workflow(name="w", steps=[without], add_workflow_history_to_steps=True)) == 3


def test_a_function_may_ask_for_the_history() -> None:
    assert history_runs(Workflow(name="w", steps=[lambda step_input: step_input])) == 3
    assert history_runs(Workflow(name="w", steps=[Step(name="s", executor=lambda step_input: step_input)])) == 3
    assert history_runs(Workflow(name="w", steps=lambda _: None)) == WHOLE_SESSION


def test_no_database_is_missed_for_a_workflows_history(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    step = Step(name="write", executor=lambda step_input: step_input, add_workflow_history=True)
    workflow = Workflow(id="w", name="W", steps=[step], add_workflow_history_to_steps=True)

    assert play(engine_of(workflow), request_of("workflow/w", "x", stream=False)).outcome.answer is not None
    assert "no database" not in caplog.text + "".join(capfd.readouterr())
