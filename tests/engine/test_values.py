"""Values that are no JSON, wherever a component hands them out: what AgentOS makes of them, and never Python's own
notation."""

import json
from collections import Counter, OrderedDict, UserList, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from agno.agent import Agent
from agno.run import RunContext
from agno.run.agent import CustomEvent
from agno.workflow import HumanReview, Parallel, Step, StepInput, StepOutput, Workflow
from pydantic import BaseModel

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.to_json import plain
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import engine_of, play, request_of, through_json

streamed = pytest.mark.parametrize("stream", [True, False])


class Order(BaseModel):
    price: Decimal = Decimal("1.5")


class Label(BaseModel):
    by: UUID


@dataclass
class Line:
    number: UUID = field(default_factory=lambda: UUID(int=1))


@dataclass
class Sold(CustomEvent):
    what: object = None


class Box:
    def __init__(self) -> None:
        self._inside = Decimal("1.5")

    def model_dump(self) -> dict[str, Any]:
        return {}


def values() -> dict[str, Any]:
    return {
        "box": Box(),
        "order": Order(),
        "lines": [Line(), (Line(),)],
        "price": Decimal("1.5"),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "tags": {"new"},
    }


EXPECTED = {
    "box": {"_inside": 1.5},
    "order": {"price": "1.5"},
    "lines": [{"number": str(UUID(int=1))}, [{"number": str(UUID(int=1))}]],
    "price": 1.5,
    "at": "2026-01-02T00:00:00+00:00",
    "tags": ["new"],
}


def give() -> dict[str, Any]:
    """Give an object."""
    return values()


async def give_later() -> list[Any]:
    """Give a list."""
    return [values()]


def give_in_turn() -> Iterator[Any]:
    """Give an object in an iterator."""
    yield values()


async def sell() -> AsyncIterator[Any]:
    """Tell an event."""
    yield Sold(what=values())


def remember(run_context: RunContext) -> str:
    """Put it into the session state."""
    run_context.session_state["kept"] = values()
    return "remembered"


def count() -> dict[str, int]:
    """Give what is JSON anyway."""
    return {"one": 1}


def shop() -> Agent:
    return Agent(id="shop", name="shop", model=DemoModel(), tools=[give, give_later, give_in_turn, sell, remember])


@streamed
@pytest.mark.parametrize(
    ("tool", "expected"), [("give", EXPECTED), ("give_later", [EXPECTED]), ("give_in_turn", EXPECTED)]
)
def test_a_tools_result_is_json_text(tool: str, expected: object, stream: bool) -> None:
    played = play(engine_of(shop()), request_of("agent/shop", f"call {tool}", stream=stream))

    (called,) = played.outcome.output.run["tools"]
    assert json.loads(called["result"]) == expected
    assert json.loads(played.content.removeprefix(f"{tool} gave: ")) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(list, a=[OrderedDict()]), {"a": [{}]}),
        (UserList([1]), [1]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.values(), [1]),
        ([1, {"a": (1,)}], [1, {"a": [1]}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_class_is_told_of_a_container(value: object, expected: object) -> None:
    def hand_out() -> object:
        """Give it."""
        return value

    played = play(
        engine_of(Agent(id="shop", name="shop", model=DemoModel(), tools=[hand_out])),
        request_of("agent/shop", "call hand_out"),
    )

    assert json.loads(played.outcome.output.run["tools"][0]["result"]) == expected


async def in_turn(*items: object) -> AsyncIterator[object]:
    for item in items:
        yield item


def nested() -> Iterator[object]:
    """Give iterators of iterators."""
    yield "a"
    yield iter(["b", iter(["c"])])


async def nested_later() -> AsyncIterator[object]:
    """Give iterators of iterators, and wait."""
    yield "a"
    yield in_turn("b", iter(["c"]))


@streamed
@pytest.mark.parametrize("tool", [nested, nested_later])
def test_an_iterator_in_an_iterator_gives_its_items(tool: Callable[[], object], stream: bool) -> None:
    agent = Agent(id="shop", name="shop", model=DemoModel(), tools=[tool])
    played = play(engine_of(agent), request_of("agent/shop", f"call {tool.__name__}", stream=stream))

    assert played.outcome.output.run["tools"][0]["result"] == "abc"


def dependencies(run_context: RunContext) -> Any:
    """Give what the caller sent."""
    return run_context.dependencies


def test_a_result_that_is_json_stays_as_agentos_gives_it() -> None:
    shop = Agent(id="shop", name="shop", model=DemoModel(), tools=[count, dependencies])
    request = request_of("agent/shop", "call count\ncall dependencies", dependencies={"to": {"one": None}})
    played = play(engine_of(shop), request)

    results = [tool["result"] for tool in played.outcome.output.run["tools"]]
    assert results == ["{'one': 1}", "{'to': {'one': None}}"]


@streamed
def test_an_event_of_a_tools_own_has_its_values(stream: bool) -> None:
    played = play(engine_of(shop()), request_of("agent/shop", "call sell", stream=stream))

    assert json.loads(played.outcome.output.run["tools"][0]["result"])["what"] == EXPECTED
    if stream:
        assert played.of("CustomEvent")["what"] == EXPECTED


def test_an_event_of_a_steps_function_names_the_workflows_run_and_is_not_its_end() -> None:
    async def sold(step_input: StepInput) -> AsyncIterator[object]:
        yield Sold()
        yield Sold(event="WorkflowCompleted")
        yield StepOutput(content=step_input.input)

    step = Step(name="sell", executor=sold)  # type: ignore[arg-type]
    played = play(engine_of(Workflow(id="shop", name="shop", steps=[step])), request_of("workflow/shop", "dear"))

    assert played.of("CustomEvent")["run_id"] == "run-1"
    ends = [event.get("run_id") for event in played.events if event["event"] == "WorkflowCompleted"]
    assert ends == [None, "run-1"]


@streamed
def test_the_session_state_has_its_values(stream: bool) -> None:
    played = play(engine_of(shop()), request_of("agent/shop", "call remember", stream=stream))

    assert played.outcome.session.set["state:kept"] == EXPECTED
    shown = played.events[-1] if stream else played.outcome.answer
    assert shown is not None
    assert shown["session_state"] == {"kept": EXPECTED}


CONTENTS: dict[str, tuple[Callable[[], Any], object]] = {
    "object": (values, EXPECTED),
    "list": (lambda: [values()], [EXPECTED]),
    "dataclass": (Line, {"number": str(UUID(int=1))}),
    "decimal": (lambda: Decimal("1.5"), 1.5),
    "set": (lambda: {"new"}, ["new"]),
    "object of a class": (Box, {"_inside": 1.5}),
    "model": (lambda: Label(by=UUID(int=1)), {"by": str(UUID(int=1))}),
}


@streamed
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_steps_content_is_its_value(kind: str, stream: bool) -> None:
    make, expected = CONTENTS[kind]

    def step(_: StepInput) -> StepOutput:
        return StepOutput(content=make())

    workflow = Workflow(id="w", name="W", steps=[Step(name="step", executor=step)])
    played = play(engine_of(workflow), request_of("workflow/w", "x", stream=stream))

    assert played.outcome.output.run["step_results"][0]["content"] == expected
    assert played.content == expected
    if stream:
        assert played.of("WorkflowCompleted")["content"] == expected
        assert played.of("StepCompleted")["content"] == expected


def return_it(_: StepInput) -> dict[str, Any]:
    return values()


async def return_it_later(_: StepInput) -> dict[str, Any]:
    return values()


def yield_it(_: StepInput) -> Iterator[Any]:
    yield values()


async def yield_it_later(_: StepInput) -> AsyncIterator[Any]:
    yield values()


class ReturnsIt:
    def __call__(self, _: StepInput) -> dict[str, Any]:
        return values()


RETURNS = {
    "function": return_it,
    "coroutine": return_it_later,
    "generator": yield_it,
    "asynchronous generator": yield_it_later,
    "callable object": ReturnsIt(),
}


@streamed
@pytest.mark.parametrize("kind", RETURNS)
def test_what_a_steps_function_gives_without_an_output_is_json_text(kind: str, stream: bool) -> None:
    workflow = Workflow(id="w", name="W", steps=[Step(name="step", executor=RETURNS[kind])])
    played = play(engine_of(workflow), request_of("workflow/w", "x", stream=stream))

    assert json.loads(played.content) == EXPECTED


@streamed
@pytest.mark.parametrize(("value", "expected"), [(Decimal("1.50"), "1.50"), ({"one": 1}, "{'one': 1}"), (None, "None")])
def test_what_has_a_text_is_given_as_agentos_gives_it(value: object, expected: str, stream: bool) -> None:
    def hand_out() -> object:
        """Give it."""
        return value

    agent = Agent(id="shop", name="shop", model=DemoModel(), tools=[hand_out])
    played = play(engine_of(agent), request_of("agent/shop", "call hand_out", stream=stream))
    assert str(played.outcome.output.run["tools"][0]["result"]) == expected

    workflow = Workflow(id="w", name="W", steps=[Step(name="step", executor=lambda step_input: value)])
    assert play(engine_of(workflow), request_of("workflow/w", "x", stream=stream)).content == expected


@streamed
def test_a_workflow_of_one_function_gives_values(stream: bool) -> None:
    def whole(workflow: Workflow, execution_input: object) -> dict[str, Any]:
        return values()

    async def in_parts(workflow: Workflow, execution_input: object) -> AsyncIterator[Any]:
        yield values()

    played = play(engine_of(Workflow(id="w", name="W", steps=whole)), request_of("workflow/w", "x", stream=stream))
    assert played.content == EXPECTED
    played = play(engine_of(Workflow(id="w", name="W", steps=in_parts)), request_of("workflow/w", "x", stream=stream))
    assert json.loads(played.content) == EXPECTED


@streamed
@pytest.mark.parametrize("content", [values, Box, lambda: [Line(), {"new"}], lambda: {"new"}, lambda: Decimal("1.5")])
def test_what_an_agent_or_a_person_gets_of_a_step_is_json(content: Callable[[], Any], stream: bool) -> None:
    def make(_: StepInput) -> StepOutput:
        return StepOutput(content=content())

    steps: list[Any] = [
        Parallel(Step(name="one", executor=make), Step(name="two", executor=make), name="both"),
        Step(name="make", executor=make),
        Step(name="read", agent=shop()),
        Step(name="make again", executor=make),
        Step(name="send", executor=make, human_review=HumanReview(requires_confirmation=True)),
    ]
    played = play(engine_of(Workflow(id="w", name="W", steps=steps)), request_of("workflow/w", "x", stream=stream))
    both, _, read, _ = (each["content"] for each in played.outcome.output.run["step_results"])

    assert played.outcome.status is RunStatus.PAUSED
    expected = through_json(plain(content()))
    assert json.loads(both.split("one\n")[1].split("\n\n###")[0]) == expected
    assert json.loads(read.removeprefix("I am the demo model, and you said: ")) == expected
    told = json.dumps([played.outcome.output.run, played.events])
    assert not any(sign in told for sign in (" object at 0x", "UUID('", "Decimal('", "datetime(", "{'new'}"))
