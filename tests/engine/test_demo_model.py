import asyncio

import pytest
from agno.agent import Agent
from agno.models.message import Message
from agno.team import Team

from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.models.demo_rules import reply_to

ADD = {"type": "function", "function": {"name": "add", "parameters": {"properties": {"a": {}, "b": {}}}}}
DELEGATE = {"type": "function", "function": {"name": "delegate_task_to_member", "parameters": {"properties": {}}}}
BROADCAST = {"type": "function", "function": {"name": "delegate_task_to_members", "parameters": {"properties": {}}}}


def reply(text: str, *tools: dict, as_json: bool = False) -> object:
    return reply_to([Message(role="user", content=text)], tools, as_json=as_json)


def calls(text: str, *tools: dict) -> list[tuple[str, str]]:
    functions = [call["function"] for call in reply(text, *tools).tool_calls]
    return [(function["name"], function["arguments"]) for function in functions]


def said(text: str, *tools: dict, as_json: bool = False) -> str:
    return "".join(reply(text, *tools, as_json=as_json).words)


def test_the_same_question_has_the_same_answer() -> None:
    assert said("hello") == said("hello") == "I am the demo model, and you said: hello"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add 2 and 3", [("add", '{"a": 2, "b": 3}')]),
        ("Add -1 to 2.5", [("add", '{"a": -1, "b": 2.5}')]),
        ('call add {"a": 1, "b": 2}', [("add", '{"a": 1, "b": 2}')]),
        ("add 1 and 2\nadd 3 and 4", [("add", '{"a": 1, "b": 2}'), ("add", '{"a": 3, "b": 4}')]),
        ("call add {broken}", [("add", '{"text": "{broken}"}')]),
        ("add them up", []),
        ("add 1 and 2 and 3", []),
        ("call subtract {}", []),
    ],
)
def test_tools_are_called_in_words(text: str, expected: list) -> None:
    assert calls(text, ADD) == expected


def test_a_tool_that_is_not_there_is_only_talked_about() -> None:
    assert calls("add 2 and 3") == []
    assert "add 2 and 3" in said("add 2 and 3")


def test_a_leader_asks_one_member_or_all() -> None:
    assert calls("ask writer: a poem", DELEGATE) == [
        ("delegate_task_to_member", '{"member_id": "writer", "task": "a poem"}')
    ]
    assert calls("ask everyone: a poem", BROADCAST) == [("delegate_task_to_members", '{"task": "a poem"}')]


def test_a_leader_does_not_obey_what_it_hands_on() -> None:
    handed_on = reply("ask writer: [hang] [slow 5s] [fail]", DELEGATE)

    assert (handed_on.hang, handed_on.pause_seconds) == (False, 0.0)


def test_it_can_be_told_to_hang_to_be_slow_and_to_fail() -> None:
    assert reply("[hang]").hang
    assert reply("[slow 20ms] hi").pause_seconds == pytest.approx(0.02)
    assert reply("[slow 1.5s] hi").pause_seconds == pytest.approx(1.5)
    with pytest.raises(RuntimeError, match="no more paper"):
        reply("[fail no more paper]")


def test_an_answer_in_json_is_taken_from_the_message() -> None:
    assert said('Take {"a": {"b": 1}}, please', as_json=True) == '{"a": {"b": 1}}'


def test_it_quotes_the_message_before() -> None:
    conversation = [
        Message(role="user", content="one"),
        Message(role="assistant", content="two"),
        Message(role="user", content="What did I say?"),
    ]
    assert "".join(reply_to(conversation, [], as_json=False).words) == 'You said: "one"'
    assert said("what did I say?") == "You have not said anything before."


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@pytest.mark.parametrize("stream", [True, False])
def test_it_works_in_an_agent_without_a_loop_too(stream: bool) -> None:
    agent = Agent(model=DemoModel(), tools=[add], telemetry=False)

    answer = list(agent.run("add 2 and 3", stream=True))[-1] if stream else agent.run("add 2 and 3")

    assert answer.content.endswith("add gave: 5" if not stream else "5")


def test_everyone_in_a_team_may_be_asked() -> None:
    members = [Agent(id=name, name=name, model=DemoModel()) for name in ("left", "right")]
    team = Team(model=DemoModel(), members=members, mode="broadcast", telemetry=False)

    answer = asyncio.run(team.arun("ask everyone: your name"))

    assert answer.content.count("you said: your name") == 2


def test_it_counts_tokens() -> None:
    metrics = asyncio.run(Agent(model=DemoModel(), telemetry=False).arun("one two three")).metrics

    assert (metrics.input_tokens, metrics.output_tokens, metrics.total_tokens) == (3, 11, 14)
