"""Runs of agno's components that are cut in their middle and carried on, as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.schemas.memory import UserMemory
from agno.metrics import MessageMetrics
from agno.models.message import Message
from agno.models.response import ModelResponse
from agno.run import RunContext
from agno.team import Team
from agno.tools import Function
from agno.workflow import Condition, HumanReview, Loop, Parallel, Router, Step, StepInput, StepOutput, Workflow

from agentos_lambda import idempotency_key
from agentos_lambda.engine.memories import RunMemories
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import ComponentChanged
from agentos_lambda.runs.memories import Memory
from tests.engine import samples
from tests.engine.playing import continuing, engine_of, play, request_of
from tests.engine.slicing import at_once, carried_by, in_slices
from tests.runs.world import World, component

ROUNDS = 4
calls: list[str] = []


@pytest.fixture(autouse=True)
def _counted() -> None:
    calls.clear()


@dataclass
class Stepper(DemoModel):
    """Says a word and calls a tool, again and again, then says that it is done."""

    tool: str = "count"
    rounds: int = ROUNDS

    def _reply(self, messages: Sequence[Message]) -> ModelResponse:
        asked = max(place for place, message in enumerate(messages) if message.role == "user")
        number = sum(message.role == "tool" for message in messages[asked:])
        calls.append(f"model {number}")
        usage = MessageMetrics(input_tokens=10, output_tokens=number, total_tokens=10 + number)
        if number >= self.rounds:
            return ModelResponse(role="assistant", content=f"done {number}", response_usage=usage)
        arguments = {"number": number} if self.tool == "count" else {"member_id": "helper", "task": f"task {number}"}
        call = {"name": self.tool, "arguments": json.dumps(arguments)}
        tools = [{"id": f"call_{number}", "type": "function", "function": call}]
        return ModelResponse(role="assistant", content=f"step {number}. ", tool_calls=tools, response_usage=usage)

    async def ainvoke(self, *_: Any, messages: list[Message], **__: Any) -> ModelResponse:
        return self._reply(messages)

    async def ainvoke_stream(self, *_: Any, messages: list[Message], **__: Any) -> Any:
        yield self._reply(messages)


def count(run_context: RunContext, number: int) -> str:
    """Count."""
    calls.append(f"tool {number}")
    state = run_context.session_state
    assert state is not None
    state["counted"] = [*state.get("counted", []), number]
    return f"counted {number}"


def counter(**options: Any) -> Agent:
    return Agent(id="counter", name="Counter", model=Stepper(), tools=[count], **options)


def crew(**options: Any) -> Team:
    helper = Agent(id="helper", name="Helper", model=DemoModel())
    return Team(id="crew", name="Crew", members=[helper], model=Stepper(tool="delegate_task_to_member"), **options)


def step(name: str) -> Any:
    async def work(step_input: StepInput, run_context: RunContext) -> StepOutput:
        calls.append(name)
        state = run_context.session_state
        assert state is not None
        state["steps"] = [*state.get("steps", []), name]
        return StepOutput(content=f"{step_input.previous_step_content or step_input.input}>{name}")

    work.__name__ = name
    return work


def line(**options: Any) -> Workflow:
    return Workflow(
        id="line", name="Line", steps=[Step(name=f"s{n}", executor=step(f"s{n}")) for n in range(5)], **options
    )


def texts(events: Any, name: str) -> str:
    return "".join(str(event.get("content")) for event in events if event["event"] == name)


def stable(run: dict[str, Any]) -> Any:
    """A run without times, measures and made-up ids."""
    fleeting = {"created_at", "metrics", "id", "updated_at", "step_id", "step_run_id", "step_executor_runs"}
    fleeting |= {"child_run_id", "run_id", "citations"}

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(item) for name, item in value.items() if name not in fleeting}
        return [clean(item) for item in value] if isinstance(value, list) else value

    return clean(run)


@pytest.mark.parametrize("first_streamed", [True, False])
@pytest.mark.parametrize("component", ["agent/counter", "team/crew", "workflow/line"])
def test_a_run_in_slices_leaves_what_an_uncut_one_leaves(component: str, *, first_streamed: bool) -> None:
    engine = engine_of(counter(), crew(), line())
    request = request_of(component, "go", stream=True)
    uncut = play(engine, request)
    once, calls[:] = list(calls), []
    sliced = in_slices(engine, replace(request, stream=first_streamed))
    assert len(sliced.slices) == 5
    assert calls == once  # each tool, step and model call once
    assert sliced.outcome.status is uncut.outcome.status is RunStatus.COMPLETED
    assert stable(sliced.outcome.output.run) == stable(uncut.outcome.output.run)
    assert stable({"m": list(sliced.outcome.output.members)}) == stable({"m": list(uncut.outcome.output.members)})
    metrics = "data:session_metrics"
    assert {k: v for k, v in sliced.outcome.session.set.items() if k != metrics} == {
        k: v for k, v in uncut.outcome.session.set.items() if k != metrics
    }
    if first_streamed:
        assert sliced.names == uncut.names
        for name in ("RunContent", "TeamRunContent", "StepOutput"):
            assert texts(sliced.events, name) == texts(uncut.events, name)
    assert all(played.leftover == 0 for played in sliced.slices)


def test_usage_is_that_of_an_uncut_run() -> None:
    engine = engine_of(counter())
    request = request_of("agent/counter", "go")
    whole, cut = play(engine, request).outcome, in_slices(engine, request).outcome

    def tokens(outcome: Any) -> Any:
        return {k: v for k, v in outcome.output.run["metrics"].items() if "tokens" in k}

    assert tokens(cut) == tokens(whole) != {}
    assert tokens_of_session(cut) == tokens_of_session(whole)


def tokens_of_session(outcome: Any) -> Any:
    metrics = outcome.session.set.get("data:session_metrics") or {}
    return {k: v for k, v in metrics.items() if "tokens" in k}


def test_a_run_that_nobody_wants_to_hand_over_comes_to_its_end() -> None:
    played = play(engine_of(counter()), request_of("agent/counter", "go"))
    assert played.outcome.status is RunStatus.COMPLETED
    assert "checkpoint" not in json.dumps(played.outcome.output.run)


def test_a_cancel_in_a_later_slice_keeps_the_text_of_all_of_them() -> None:
    engine = engine_of(counter())
    request = request_of("agent/counter", "go")
    first = play(engine, request, first=at_once)

    def cancel(event: Any, run: Any) -> None:
        if event["event"] == "ToolCallCompleted":
            run.cancel()

    second = play(engine, carried_by(first, request), seeing=cancel)
    assert second.outcome.status is RunStatus.CANCELLED
    assert second.content.startswith("step 0. step 1. ")


@pytest.mark.parametrize(
    ("component", "text"),
    [("agent/counter", "step 0. "), ("team/crew", "step 0. "), ("workflow/line", "Run run-1 was cancelled")],
)
def test_a_cancel_before_a_later_slice_has_begun_keeps_the_text_and_executes_nothing(component: str, text: str) -> None:
    engine = engine_of(counter(), crew(), line())
    request = request_of(component, "go")
    first = play(engine, request, first=at_once)
    done = list(calls)
    second = play(engine, carried_by(first, request), first=lambda run: run.cancel())
    assert (second.outcome.status, second.outcome.output.run["content"]) == (RunStatus.CANCELLED, text)
    assert calls == done


def test_what_a_slice_leaves_can_be_shown_as_the_end_of_the_run() -> None:
    engine = engine_of(counter(), line())
    agent = play(engine, request_of("agent/counter", "go"), first=at_once).outcome.output.run
    assert agent["content"] == "step 0. "
    workflow = play(engine, request_of("workflow/line", "go"), first=at_once).outcome.output.run
    assert workflow["content"] == "go>s0"


def test_the_steps_of_every_slice_get_what_the_caller_sent() -> None:
    seen: list[Any] = []

    async def look(step_input: StepInput, run_context: RunContext) -> StepOutput:
        seen.append((step_input.additional_data, run_context.dependencies, run_context.metadata, run_context.user_id))
        return StepOutput(content="x")

    looking = Workflow(id="looking", name="Looking", steps=[Step(name=f"s{n}", executor=look) for n in range(3)])
    sent = {"additional_data": {"a": 1}, "dependencies": {"d": 2}, "metadata": {"m": 3}}
    in_slices(engine_of(looking), request_of("workflow/looking", "go", **sent))
    assert len(seen) == 3
    assert [(a, d, m["m"], u) for a, d, m, u in seen] == [({"a": 1}, {"d": 2}, 3, "ada")] * 3


def test_the_schema_of_the_answer_holds_in_the_last_slice() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    sliced = in_slices(engine_of(counter()), request_of("agent/counter", "go", output_schema=schema))
    assert sliced.outcome.status is RunStatus.ERROR
    assert "does not fit" in str(sliced.outcome.error)


def test_plain_functions_and_agents_are_steps_that_can_be_carried_on() -> None:
    helper = Agent(id="helper", name="Helper", model=DemoModel())
    mixed = Workflow(id="mixed", name="Mixed", steps=[step("f0"), helper, step("f1")])
    sliced = in_slices(engine_of(mixed), request_of("workflow/mixed", "go"))
    assert len(sliced.slices) == 3
    assert calls == ["f0", "f1"]
    assert sliced.outcome.output.run["content"].endswith(">f1")


def test_groups_of_steps_are_boundaries_too_and_are_not_cut_within() -> None:
    def pair(name: str) -> list[Any]:
        return [Step(name=f"{name}{n}", executor=step(f"{name}{n}")) for n in range(2)]

    grouped = Workflow(
        id="grouped",
        name="Grouped",
        steps=[
            Parallel(*pair("p"), name="parallel"),
            Loop(name="loop", steps=pair("l"), max_iterations=2),
            Condition(name="condition", evaluator=lambda _: True, steps=pair("c")),
            Router(
                name="router",
                selector=lambda i: i.step_choices[:1] if hasattr(i, "step_choices") else pair("r")[:1],
                choices=pair("r"),
            ),
        ],
    )
    engine, request = engine_of(grouped), request_of("workflow/grouped", "go")
    uncut = play(engine, request)
    once, calls[:] = sorted(calls), []
    sliced = in_slices(engine, request)
    assert len(sliced.slices) == 4
    assert sorted(calls) == once
    assert sliced.names == uncut.names


def test_agno_begins_a_streamed_loop_at_its_first_round() -> None:
    """If this fails, rounds of a loop may become safe points: decision 028."""
    assert "resume_from_iteration" in signature(Loop.aexecute).parameters
    assert "resume_from_iteration" not in signature(Loop.aexecute_stream).parameters


def test_a_step_that_asks_its_own_question_pauses_the_run_as_ever() -> None:
    steps = [Step(name=f"s{n}", executor=step(f"s{n}")) for n in range(3)]
    steps[1].human_review = HumanReview(requires_confirmation=True, confirmation_message="Go on?")
    asking = Workflow(id="asking", name="Asking", steps=steps)
    sliced = in_slices(engine_of(asking), request_of("workflow/asking", "go"))
    assert sliced.outcome.status is RunStatus.PAUSED
    assert [each["confirmation_message"] for each in sliced.outcome.output.run["step_requirements"]] == ["Go on?"]
    assert sliced.names[-1] == "WorkflowPaused"
    assert calls == ["s0"]


def test_a_workflow_whose_next_step_was_removed_cannot_be_carried_on() -> None:
    request = request_of("workflow/line", "go")
    first = play(engine_of(line()), request, first=at_once)
    shorter = Workflow(id="line", name="Line", steps=[Step(name="other", executor=step("other"))] * 2)
    second = play(engine_of(shorter), carried_by(first, request))
    assert (second.outcome.status, second.outcome.error) == (
        RunStatus.ERROR,
        str(ComponentChanged("component changed")),
    )
    assert len(second.outcome.output.run["step_results"]) == 1
    assert calls == ["s0"]


def test_a_workflow_that_is_one_function_is_never_cut() -> None:
    async def whole(workflow: Any, execution_input: Any) -> str:
        calls.append("whole")
        return "done"

    played = play(engine_of(Workflow(id="w", name="W", steps=whole)), request_of("workflow/w", "go"), first=at_once)
    assert played.outcome.status is RunStatus.COMPLETED


@dataclass
class Asking(Stepper):
    """The same, but the second of its calls has to be confirmed."""

    def _reply(self, messages: Sequence[Message]) -> ModelResponse:
        reply = super()._reply(messages)
        if reply.tool_calls and reply.tool_calls[0]["id"] == "call_1":
            reply.tool_calls[0]["function"] = {"name": "delete", "arguments": '{"what": "everything"}'}
        return reply


def test_a_pause_in_a_later_slice_is_decided_and_the_run_goes_on_in_slices() -> None:
    asking = Agent(id="asking", name="Asking", model=Asking(), tools=[count, samples.delete])
    engine, request = engine_of(asking), request_of("agent/asking", "go")

    def decided(played: Any) -> Any:
        return continuing(played, request, tools=[{"tool_call_id": "call_1", "confirmed": True}])

    paused = play(engine, request)
    uncut = play(engine, decided(paused))
    once, calls[:] = list(calls), []
    first = in_slices(engine, request)
    assert first.outcome.status is RunStatus.PAUSED
    assert stable(first.outcome.output.run) == stable(paused.outcome.output.run)
    second = in_slices(engine, decided(first.slices[-1]))
    assert len(second.slices) == 3
    assert calls == once
    assert second.outcome.status is RunStatus.COMPLETED
    assert stable(second.outcome.output.run) == stable(uncut.outcome.output.run)


def test_a_workflow_that_asks_between_its_slices_leaves_what_an_uncut_one_leaves() -> None:
    steps = [Step(name=f"s{n}", executor=step(f"s{n}")) for n in range(5)]
    steps[2].human_review = HumanReview(requires_confirmation=True, confirmation_message="Go on?")
    engine = engine_of(Workflow(id="asking", name="Asking", steps=steps))
    request = request_of("workflow/asking", "go")

    def decided(played: Any) -> Any:
        requirement = played.outcome.output.run["step_requirements"][-1]
        return continuing(played, request, requirements=[{"step_id": requirement["step_id"], "confirmed": True}])

    paused = play(engine, request)
    uncut = play(engine, decided(paused))
    calls.clear()
    first = in_slices(engine, request)
    assert stable(first.outcome.output.run) == stable(paused.outcome.output.run)
    second = in_slices(engine, decided(first.slices[-1]))
    assert len(second.slices) == 3
    assert calls == ["s0", "s1", "s2", "s3", "s4"]
    assert stable(second.outcome.output.run) == stable(uncut.outcome.output.run)


@pytest.mark.anyio
async def test_what_a_run_remembers_goes_from_slice_to_slice() -> None:
    stored = {"m1": memory("m1", "tea", revision="r1"), "m2": memory("m2", "cake", revision="r2")}
    first = RunMemories(lambda _: list(stored.values()), "ada")
    await first.put(UserMemory(memory="coffee", memory_id="m1"))
    await first.remove(["m2"], None)
    stored["m1"] = memory("m1", "milk", revision="of somebody else")
    second = RunMemories(lambda _: list(stored.values()), "ada", earlier=first.changes())
    assert second.changes() == first.changes()  # also if it asks for none
    assert [each.text for each in await second.of(None)] == ["coffee"]
    await second.put(UserMemory(memory="water", memory_id="m1"))
    changes = {change.memory_id: change for change in second.changes()}
    assert (changes["m1"].seen, changes["m1"].memory and changes["m1"].memory.text) == ("r1", "water")
    assert (changes["m2"].seen, changes["m2"].memory) == ("r2", None)


def memory(memory_id: str, text: str, *, revision: str) -> Memory:
    return Memory("ada", memory_id, text, 1, 1, revision)


def test_a_tool_knows_a_key_of_its_call() -> None:
    keys: list[str | None] = []

    def tell(number: int) -> str:
        """Tell."""
        keys.append(idempotency_key())
        return str(number)

    async def tell_later(number: int) -> str:
        """Tell."""
        return tell(number)

    for entrypoint in (tell, tell_later):
        tool = Function(name="count", entrypoint=entrypoint)
        telling = Agent(id="telling", name="Telling", model=Stepper(), tools=[tool])
        in_slices(engine_of(telling), request_of("agent/telling", "go"))
        assert keys == [f"run-1:call_{number}" for number in range(ROUNDS)]
        keys.clear()
    assert idempotency_key() is None


@pytest.mark.parametrize("dies_at", range(1, 2 * ROUNDS + 2))
@pytest.mark.parametrize("of", [Kind.AGENT, Kind.TEAM, Kind.WORKFLOW])
def test_a_durable_run_repeats_only_what_was_under_way_when_its_executor_died(of: Kind, dies_at: int) -> None:
    """``dies_at``: which call of a model, a tool or a step."""
    parts: dict[Kind, Any] = {Kind.AGENT: counter(), Kind.TEAM: crew(), Kind.WORKFLOW: line()}
    engine = engine_of(parts[of])
    whole = play(engine, request_of(f"{of}/{parts[of].id}", "go")).outcome.output.run["content"]
    uncut, calls[:] = list(calls), []
    run, died_after = asyncio.run(_die_and_go_on(engine, component(of, parts[of].id), min(dies_at, len(uncut))))
    assert run["content"] == whole
    assert set(calls) == set(uncut)
    assert len(calls) - len(uncut) <= 2
    assert {each for each in calls if calls.count(each) > 1} <= set(died_after[-2:])


async def _die_and_go_on(engine: Any, of: Any, dies_at: int) -> tuple[dict[str, Any], list[str]]:
    """The run that has ended, and what had been called when its first executor died."""
    world = World(load_engine=lambda: engine)
    execution = await world.execute("go", of=replace(of, durable=True), session_id="s")
    while len(calls) < dies_at:
        await asyncio.to_thread(lambda: None)
    execution.task.cancel()
    await asyncio.wait([execution.task])
    died_after = list(calls)
    for _ in range(3):  # the dead one's supervisor may renew its lease once more
        world.clock.advance(300_000)
        if world.sweeper.sweep().revived:
            await world.work()
            break
    record = world.store.get(execution.record.run_id)
    assert record is not None
    assert record.status is RunStatus.COMPLETED
    output = world.store.output(record)
    assert output is not None
    return output.run, died_after
