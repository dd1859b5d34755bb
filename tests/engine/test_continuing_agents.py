"""Paused agents that go on: decided by a client, in another process, with nothing but what was stored."""

from copy import deepcopy
from typing import Any

import pytest
from agno.agent import Agent
from agno.models.message import Message
from agno.tools import tool
from agno.tools.user_feedback import UserFeedbackTools

from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation
from tests.engine.playing import Played, cancelling_at, continuing, engine_of, play, request_of, session_after

streamed = pytest.mark.parametrize("stream", [True, False])

DELETE = 'call delete {"what": "x"}'
SEND = 'call send {"text": "hi"}'
MEASURE = 'call measure {"room": "lab"}'


@tool(requires_confirmation=True)
def delete(what: str) -> str:
    """Delete something."""
    return f"{what} is gone"


@tool(requires_user_input=True, user_input_fields=["to"])
def send(text: str, to: str) -> str:
    """Send a text."""
    return f"{text} sent to {to}"


@tool(external_execution=True)
def measure(room: str) -> str:
    """Measure the temperature of a room."""
    raise AssertionError("never called here")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def new_engine() -> AgnoEngine:
    tools = [delete, send, measure, add, UserFeedbackTools(add_instructions=False)]
    return engine_of(Agent(id="clerk", model=DemoModel(), tools=tools, add_history_to_context=True))


def paused(message: str, *, stream: bool = True, **more: Any) -> tuple[Played, EngineRequest]:
    request = request_of("agent/clerk", message, stream=stream, **more)
    played = play(new_engine(), request)
    assert played.outcome.status is RunStatus.PAUSED
    return played, request


def answered(message: str, *, stream: bool = True, **decision: Any) -> Played:
    """The run paused and gone on, all its tools sent back as they were, with the decision."""
    played, request = paused(message, stream=stream)
    tools = [{**tool, **decision} for tool in played.outcome.output.run["tools"]]
    return play(new_engine(), continuing(played, request, tools=tools))


@streamed
def test_a_confirmed_tool_runs_and_the_answer_follows(stream: bool) -> None:
    played = answered(DELETE, stream=stream, confirmed=True)

    run = played.outcome.output.run
    assert (played.outcome.status, run["status"]) == (RunStatus.COMPLETED, "COMPLETED")
    assert played.content == "delete gave: x is gone"
    assert [message["role"] for message in run["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert (run["tools"][0]["result"], run["tools"][0]["confirmed"]) == ("x is gone", True)
    assert run["input"] == {"input_content": DELETE}
    if stream:
        assert played.names[:3] == ["RunContinued", "ToolCallStarted", "ToolCallCompleted"]
        assert played.names[-1] == "RunCompleted"
    else:
        assert played.events == []


@streamed
@pytest.mark.parametrize(
    ("decision", "told"),
    [
        ({"confirmed": False, "confirmation_note": "too dangerous"}, "too dangerous"),
        ({"confirmed": False}, "Function call was rejected by the user"),
        ({}, "Function call was rejected by the user"),
    ],
)
def test_a_rejected_or_unanswered_tool_does_not_run_and_the_model_is_told(
    stream: bool, decision: JsonObject, told: str
) -> None:
    played = answered(DELETE, stream=stream, **decision)

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, f"delete gave: {told}")
    assert played.outcome.output.run["tools"][0]["result"] is None


@streamed
def test_what_the_user_filled_in_becomes_the_tools_arguments(stream: bool) -> None:
    played, request = paused(SEND, stream=stream)
    tools = deepcopy(played.outcome.output.run["tools"])
    tools[0]["user_input_schema"][1]["value"] = "Ada"
    played = play(new_engine(), continuing(played, request, tools=tools))

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "send gave: hi sent to Ada")


@streamed
def test_a_tool_that_the_client_executes_gets_its_result(stream: bool) -> None:
    assert answered(MEASURE, stream=stream, result="21 degrees").content == "measure gave: 21 degrees"
    assert answered(MEASURE, stream=stream, result={"degrees": 21}).content == 'measure gave: {"degrees": 21}'


@streamed
def test_a_question_is_answered_by_options(stream: bool) -> None:
    question = '{"questions": [{"question": "Which?", "header": "W", "options": [{"label": "A"}, {"label": "B"}]}]}'
    played, request = paused(f"call ask_user {question}", stream=stream)
    tools = deepcopy(played.outcome.output.run["tools"])
    with pytest.raises(InvalidRequest, match="ask_user: selected_options"):
        check(played, tools=tools)
    tools[0]["user_feedback_schema"][0]["selected_options"] = ["B"]
    played = play(new_engine(), continuing(played, request, tools=tools))

    assert played.outcome.status is RunStatus.COMPLETED
    assert '"selected": ["B"]' in played.content


@pytest.mark.parametrize("level", ["requirement", "tool", "bare"])
def test_an_agent_takes_requirements_too(level: str) -> None:
    played, request = paused(DELETE)
    requirement = deepcopy(played.outcome.output.run["requirements"][0])
    if level == "requirement":
        requirement["confirmation"] = True
    elif level == "tool":
        requirement["tool_execution"]["confirmed"] = True
    else:
        requirement = {"id": requirement["id"], "confirmation": True}

    assert play(new_engine(), continuing(played, request, requirements=[requirement])).content == (
        "delete gave: x is gone"
    )


def test_several_tools_are_decided_one_by_one() -> None:
    played, request = paused('add 2 and 3\ncall delete {"what": "a"}\ncall delete {"what": "b"}\n' + MEASURE)
    tools = played.outcome.output.run["tools"]
    assert tools[0]["result"] == "5"
    sent = [
        tools[0],
        {"tool_call_id": tools[1]["tool_call_id"], "confirmed": True},
        {"tool_call_id": tools[3]["tool_call_id"], "result": "21"},
    ]
    played = play(new_engine(), continuing(played, request, tools=sent))

    results = [tool["result"] for tool in played.outcome.output.run["tools"]]
    assert results == ["5", "a is gone", None, "21"]


def test_the_whole_output_is_as_if_the_run_had_not_paused_in_between() -> None:
    played, request = paused(DELETE, dependencies=None, metadata={"ticket": 7})
    before = played.outcome.output.run
    after = play(new_engine(), continuing(played, request, tools=[{**before["tools"][0], "confirmed": True}]))

    run = after.outcome.output.run
    assert run["run_id"] == before["run_id"]
    assert (run["created_at"], run["metadata"], run["user_id"]) == (before["created_at"], {"ticket": 7}, "ada")
    assert run["messages"][:2] == before["messages"][:2]
    assert run["metrics"]["input_tokens"] > before["metrics"]["input_tokens"]


def test_history_is_read_when_the_run_goes_on_and_has_the_run_once() -> None:
    first_request = request_of("agent/clerk", "my name is Ada", run_id="run-0")
    first = play(new_engine(), first_request)
    played, request = paused(DELETE, session=session_after(first, first_request))
    tools = [{**played.outcome.output.run["tools"][0], "confirmed": True}]
    second_request = continuing(played, request, tools=tools)
    second = play(new_engine(), second_request)
    third = play(
        new_engine(),
        request_of("agent/clerk", "what did I say?", run_id="run-2", session=session_after(second, second_request)),
    )

    assert [message["role"] for message in second.outcome.output.run["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert third.content == f'You said: "{DELETE}"'


class TwoDeletions(DemoModel):
    """Wants to delete one thing after the other, each time when the one before has been decided."""

    repeats_ids = False

    def _next(self, messages: list[Message]) -> list[Message]:
        done = sum(message.role == "tool" for message in messages)
        if done == 2:
            return messages
        before = [] if self.repeats_ids else [Message(role="assistant")] * done
        return [*before, Message(role="user", content=f'call delete {{"what": "{"ab"[done]}"}}')]

    async def ainvoke(self, *args: Any, messages: list[Message], **options: Any) -> Any:
        return await super().ainvoke(*args, messages=self._next(messages), **options)

    async def ainvoke_stream(self, *args: Any, messages: list[Message], **options: Any) -> Any:
        async for response in super().ainvoke_stream(*args, messages=self._next(messages), **options):
            yield response


class RepeatingIds(TwoDeletions):
    """As some models, gives every call of its tools the same id."""

    repeats_ids = True


@pytest.mark.parametrize(("model", "stream"), [(TwoDeletions, True), (TwoDeletions, False), (RepeatingIds, True)])
def test_a_run_that_goes_on_may_pause_again(model: type[DemoModel], stream: bool) -> None:
    def engine() -> AgnoEngine:
        return engine_of(Agent(id="clerk", model=model(), tools=[delete]))

    request = request_of("agent/clerk", "go", stream=stream)
    first = play(engine(), request)
    tools = first.outcome.output.run["tools"]
    request = continuing(first, request, tools=[{**tools[0], "confirmed": True}])
    second = play(engine(), request)
    tools = second.outcome.output.run["tools"]
    assert second.outcome.status is RunStatus.PAUSED
    assert [tool["result"] for tool in tools] == ["a is gone", None]
    assert second.names[-1:] == (["RunPaused"] if stream else [])
    request = continuing(second, request, tools=[tools[0], {**tools[1], "confirmed": False}])
    third = play(engine(), request)

    assert third.outcome.status is RunStatus.COMPLETED
    assert [tool["result"] for tool in third.outcome.output.run["tools"]] == ["a is gone", None]
    roles = [message["role"] for message in third.outcome.output.run["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]


@streamed
def test_a_run_that_goes_on_can_be_cancelled(stream: bool) -> None:
    played, request = paused(f"[slow 20s]\n{DELETE}" if stream else DELETE, stream=stream)
    again = continuing(played, request, tools=[{**played.outcome.output.run["tools"][0], "confirmed": True}])
    if stream:
        ended = play(new_engine(), again, seeing=cancelling_at("ToolCallCompleted"))
        assert ended.names[-2:] == ["RunCancelled", "RunCompleted"]
    else:
        ended = play(new_engine(), again, first=lambda run: run.cancel())

    assert ended.outcome.status is RunStatus.CANCELLED
    assert ended.content == "Run run-1 was cancelled"
    assert ended.outcome.output.run["messages"][0]["content"] == request.work.message
    assert ended.leftover == 0


def test_a_tool_that_fails_when_the_run_goes_on_is_told_to_the_model() -> None:
    def engine(delete_tool: Any) -> AgnoEngine:
        return engine_of(Agent(id="clerk", model=DemoModel(), tools=[delete_tool]))

    @tool(name="delete", requires_confirmation=True)
    def broken(what: str) -> str:
        """Delete something."""
        raise ValueError(f"{what} is stuck")

    request = request_of("agent/clerk", DELETE)
    played = play(engine(broken), request)
    tools = [{**played.outcome.output.run["tools"][0], "confirmed": True}]

    assert "x is stuck" in play(engine(broken), continuing(played, request, tools=tools)).content


def test_a_component_that_has_lost_its_tool_ends_the_run_as_an_error() -> None:
    played, request = paused(DELETE)
    tools = [{**played.outcome.output.run["tools"][0], "confirmed": True}]
    ended = play(engine_of(Agent(id="clerk", model=DemoModel(), tools=[add])), continuing(played, request, tools=tools))

    assert ended.outcome.status is RunStatus.ERROR
    assert ended.names[-1] == "RunError"
    assert ended.outcome.output.run["input"] == {"input_content": DELETE}


def check(played: Played, **decisions: list[Any]) -> None:
    continuation = Continuation(**{name: tuple(sent) for name, sent in decisions.items()})
    new_engine().check(Kind.AGENT, played.outcome.output, continuation)


@pytest.mark.parametrize(
    ("message", "sent", "error"),
    [
        (DELETE, {"tools": [{"tool_call_id": "other", "confirmed": True}]}, "The run has no requirement 'other'"),
        (DELETE, {"requirements": [{"id": "other", "confirmation": True}]}, "The run has no requirement 'other'"),
        (DELETE, {"tools": [{"confirmed": True}]}, "The run has no requirement None"),
        (DELETE, {}, "Run has unresolved HITL requirements"),
        (DELETE, {"tools": []}, "Run has unresolved HITL requirements"),
        (
            DELETE,
            {"tools": [{"tool_call_id": "call_0_0", "confirmed": "yes"}]},
            "Invalid structure or content for tools: 0.confirmed: Input should be a valid boolean",
        ),
        (
            DELETE,
            {"requirements": [{"tool_execution": 1}]},
            "Invalid structure or content for requirements: 0.tool_execution: Input should be",
        ),
        (
            DELETE,
            {"tools": [{"tool_call_id": "call_0_0", "confirmed": True, "tool_args": {"what": "y"}}]},
            "The arguments of delete cannot be changed",
        ),
        (
            DELETE,
            {"tools": [{"tool_call_id": "call_0_0", "confirmed": True, "tool_name": "send"}]},
            "The tool delete cannot be changed",
        ),
        (SEND, {"tools": [{"tool_call_id": "call_0_0", "answered": True}]}, r"unresolved requirements: \['send: to'\]"),
        (MEASURE, {"tools": [{"tool_call_id": "call_0_0"}]}, r"unresolved requirements: \['measure: result'\]"),
    ],
)
def test_decisions_that_do_not_fit_are_refused_and_change_nothing(
    message: str, sent: dict[str, list[Any]], error: str
) -> None:
    played, _ = paused(message)
    before = deepcopy(played.outcome.output)

    with pytest.raises(InvalidRequest, match=error):
        check(played, **sent)
    assert played.outcome.output == before


def test_decisions_that_fit_are_checked_without_doing_anything() -> None:
    played, _ = paused(DELETE)
    before = deepcopy(played.outcome.output)
    check(played, tools=[{"tool_call_id": "call_0_0", "confirmed": True}])

    assert played.outcome.output == before
