import asyncio
import threading

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.workflow import Parallel, Step, Workflow

from agentos_lambda.engine.cancellation import cancellations
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import DEADLINE, Played, cancelling_at, engine_of, leftover_tasks, play, request_of

ENDS = {
    "agent": ["RunCancelled", "RunCompleted"],
    "team": ["TeamRunCancelled", "TeamRunCompleted"],
    "workflow": ["WorkflowCancelled", "WorkflowCompleted"],
}
REASON = "Run run-1 was cancelled"


def assert_cancelled(played: Played, kind: str) -> None:
    outcome = played.outcome
    assert outcome.status is RunStatus.CANCELLED
    assert outcome.output.run["status"] == "CANCELLED"
    assert outcome.output.run["cancellation_stage"] == "EXECUTING"
    own = [event for event in played.events if event.get("run_id") == "run-1"]
    assert [event["event"] for event in own][-2:] == ENDS[kind]
    assert own[-2]["reason"] == REASON
    assert played.leftover == 0


def test_a_cancelled_agent_keeps_the_text_so_far(engine: AgnoEngine) -> None:
    played = play(
        engine, request_of("agent/assistant", "[slow 1ms] " + "word " * 500), seeing=cancelling_at("RunContent")
    )

    assert_cancelled(played, "agent")
    assert played.content
    assert "I am the demo model".startswith(played.content[:10])
    assert played.of("RunCancelled")["content"] == played.content


@pytest.mark.parametrize(
    ("component", "message", "at"),
    [
        ("agent/assistant", "[hang]", "ModelRequestStarted"),
        ("team/newsroom", "[hang]", "TeamModelRequestStarted"),
        ("team/newsroom", "ask writer: [hang]", "ModelRequestStarted"),
        ("team/newsroom", "ask writer: [hang]\nask reader: [hang]", "ModelRequestStarted"),
        ("workflow/letter", "[hang]", "ModelRequestStarted"),
    ],
)
def test_what_hangs_is_stopped(engine: AgnoEngine, component: str, message: str, at: str) -> None:
    played = play(engine, request_of(component, message), seeing=cancelling_at(at))

    assert_cancelled(played, component.partition("/")[0])
    assert played.content == REASON


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/letter"])
def test_what_hangs_without_a_stream_is_stopped(component: str, request: pytest.FixtureRequest) -> None:
    hanging = HangingModel()
    for part in (request.getfixturevalue("assistant"), request.getfixturevalue("newsroom")):
        part.model = hanging
    request.getfixturevalue("letter").steps[0].agent.model = hanging
    engine = request.getfixturevalue("engine")

    async def run() -> Played:
        running = engine.start(request_of(component, "hello", stream=False))
        hanging.when_asked = running.cancel
        async with asyncio.timeout(DEADLINE):
            events = [event async for event in running.events()]
        return Played(events, running.outcome(), await leftover_tasks())

    played = asyncio.run(run())

    assert played.outcome.status is RunStatus.CANCELLED
    assert played.events == []
    assert played.content == REASON
    assert played.leftover == 0


class HangingModel(DemoModel):
    def when_asked(self) -> None:
        raise NotImplementedError

    async def ainvoke(self, *_: object, **__: object) -> object:
        self.when_asked()
        await asyncio.Event().wait()


def test_an_async_tool_is_stopped(assistant: Agent) -> None:
    stopped = []

    async def wait_for_ever() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return "never"

    assistant.tools.append(wait_for_ever)
    message = "call wait_for_ever"
    played = play(engine_of(assistant), request_of("agent/assistant", message), seeing=cancelling_at("ToolCallStarted"))

    assert_cancelled(played, "agent")
    assert stopped == [True]


def test_a_sync_tool_that_hangs_does_not_hold_the_run(assistant: Agent) -> None:
    release = threading.Event()

    def block() -> str:
        release.wait(20)
        return "late"

    def seeing(event: dict, run: object) -> None:
        cancelling_at("ToolCallStarted")(event, run)
        if event["event"] == "RunCancelled":
            release.set()

    assistant.tools.append(block)
    played = play(engine_of(assistant), request_of("agent/assistant", "call block"), seeing=seeing)

    assert played.outcome.status is RunStatus.CANCELLED
    assert release.is_set()


def test_a_component_that_swallows_its_cancellation_is_given_up(assistant: Agent) -> None:
    release = None

    async def stubborn() -> str:
        nonlocal release
        release = asyncio.Event()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return "late"

    def seeing(event: dict, run: object) -> None:
        cancelling_at("ToolCallStarted")(event, run)
        if event["event"] == "RunCompleted" and release is not None:
            release.set()

    assistant.tools.append(stubborn)
    played = play(engine_of(assistant), request_of("agent/assistant", "call stubborn"), seeing=seeing)

    assert played.outcome.status is RunStatus.CANCELLED
    assert played.names[-2:] == ENDS["agent"]


def test_parallel_steps_stop_together() -> None:
    agents = [Agent(id=name, name=name, model=DemoModel()) for name in ("left", "right")]
    both = Parallel(*(Step(name=agent.name, agent=agent) for agent in agents), name="both")
    workflow = Workflow(id="letter", name="Letter", steps=[both])
    played = play(engine_of(workflow), request_of("workflow/letter", "[hang]"), seeing=cancelling_at("RunStarted"))

    assert_cancelled(played, "workflow")


def test_steps_that_were_finished_are_kept(letter: Workflow) -> None:
    letter.steps.append(Step(name="hang", agent=Agent(id="last", model=DemoModel(), instructions="none")))
    letter.steps[2].agent.model = HangingStream()
    played = play(engine_of(letter), request_of("workflow/letter", "dear"), seeing=cancelling_at("StepOutput"))

    assert_cancelled(played, "workflow")
    assert [step["step_name"] for step in played.outcome.output.run["step_results"]][:2] == ["write", "shout"]


class HangingStream(DemoModel):
    async def ainvoke_stream(self, *_: object, **__: object) -> object:
        await asyncio.Event().wait()
        yield


@pytest.mark.parametrize("component", ["agent/assistant", "team/newsroom", "workflow/letter"])
def test_a_run_that_was_cancelled_before_its_start_does_no_work(engine: AgnoEngine, component: str) -> None:
    async def run() -> Played:
        running = engine.start(request_of(component, "[hang]"))
        running.cancel()
        return Played([event async for event in running.events()], running.outcome(), 0)

    played = asyncio.run(run())

    assert_cancelled(played, component.partition("/")[0])
    assert not {"RunContent", "ModelRequestStarted", "TeamModelRequestStarted"} & set(played.names)


def test_a_run_is_cancelled_from_another_thread(engine: AgnoEngine) -> None:
    def seeing(event: dict, run: object) -> None:
        if event["event"] == "ModelRequestStarted":
            thread = threading.Thread(target=run.cancel)
            thread.start()
            thread.join()

    assert_cancelled(play(engine, request_of("agent/assistant", "[hang]"), seeing=seeing), "agent")


def test_a_cancel_after_the_end_changes_nothing(engine: AgnoEngine) -> None:
    async def run() -> RunStatus:
        running = engine.start(request_of("agent/assistant", "hello"))
        async for _ in running.events():
            pass
        running.cancel()
        return running.outcome().status

    assert asyncio.run(run()) is RunStatus.COMPLETED
    assert not cancellations().is_cancelled("run-1")


def test_an_ended_run_leaves_no_flag_behind(engine: AgnoEngine) -> None:
    play(engine, request_of("team/newsroom", "ask writer: [hang]"), seeing=cancelling_at("ModelRequestStarted"))

    assert not cancellations().is_cancelled("run-1")
    assert play(engine, request_of("team/newsroom", "hello")).outcome.status is RunStatus.COMPLETED


def test_cancelling_one_run_leaves_another_alone(engine: AgnoEngine) -> None:
    async def collect(running: object, *, cancel: bool) -> RunStatus:
        async for _ in running.events():
            if cancel:
                running.cancel()
        return running.outcome().status

    async def run() -> list[RunStatus]:
        one = engine.start(request_of("agent/assistant", "[slow 1ms] a b c d e f", run_id="one"))
        two = engine.start(request_of("agent/assistant", "[slow 1ms] a b c d e f", run_id="two"))
        return await asyncio.gather(collect(one, cancel=True), collect(two, cancel=False))

    assert asyncio.run(run()) == [RunStatus.CANCELLED, RunStatus.COMPLETED]


def test_a_run_whose_events_nobody_wants_any_more_is_stopped(newsroom: Team) -> None:
    async def run() -> int:
        running = engine_of(newsroom).start(request_of("team/newsroom", "ask writer: [hang]"))
        events = running.events()
        async for event in events:
            if event["event"] == "ModelRequestStarted":
                break
        await events.aclose()
        async with asyncio.timeout(DEADLINE):
            while await leftover_tasks():
                pass
        return await leftover_tasks()

    assert asyncio.run(run()) == 0
