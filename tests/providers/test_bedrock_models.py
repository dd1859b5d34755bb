"""Bedrock's models wherever a component may have one, with the client that each is to use."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import boto3
import pytest
from agno.agent import Agent
from agno.compression.manager import CompressionManager
from agno.memory import MemoryManager
from agno.models.message import Message
from agno.session import SessionSummaryManager
from agno.team import Team
from agno.workflow import Step, StepInput, StepOutput, Workflow
from pydantic import BaseModel

from agentos_lambda.engine.models import bedrock as bedrock_models
from agentos_lambda.engine.models.bedrock_client import ThreadedBedrock
from agentos_lambda.protocol.values import RunStatus
from tests.engine.playing import engine_of, play, request_of
from tests.manifest import LAYERS_PATH
from tests.providers.anthropic_dialect import BedrockMessages
from tests.providers.dialects import Bedrock, Call, Turn
from tests.providers.models import model_of
from tests.providers.server import Answer, Asked, Provider

if TYPE_CHECKING:
    from agno.models.aws.bedrock import AwsBedrock

DIALECT = Bedrock()


class City(BaseModel):
    name: str


def model(place: str, **options: object) -> AwsBedrock:
    return model_of("aws.bedrock:AwsBedrock", id=f"amazon.{place}-v1:0", **options)


def asked_model(asked: Asked) -> str:
    """The place that a request's model stands in."""
    return unquote(asked.path).removeprefix("/model/amazon.").partition("-v1:0/")[0]


def answer(asked: Asked) -> Answer:
    """Says something. A leader delegates first, ``caller`` calls its tool first, and ``failing`` fails."""
    place = asked_model(asked)
    if place == "failing":
        return DIALECT.refusal(500, "Out of order")
    first_call = {
        "leader": Call("1", "delegate_task_to_member", {"member_id": "m", "task": "greet"}),
        "caller": Call("1", "consult", {}),
    }.get(place)
    turn = Turn(texts=('{"name": "Oslo"}',))
    if first_call is not None and not DIALECT.results(asked.body):
        turn = Turn(calls=(first_call,))
    return DIALECT.stream(turn) if asked.path.endswith("-stream") else DIALECT.whole(turn)


def consult() -> str:
    """Ask another agent, which is made here."""
    return str(Agent(model=model("tool")).run("hello").content)


async def consult_later(step_input: StepInput) -> StepOutput:
    answered = await Agent(model=model("factory")).arun("hello")
    return StepOutput(content=answered.content)


PLACES: dict[str, tuple[str, Callable[[], object], set[str]]] = {
    "an agent": ("agent/c", lambda: Agent(id="c", model=model("agent")), {"agent"}),
    "a team and its member": (
        "team/c",
        lambda: Team(id="c", model=model("leader"), members=[Agent(id="m", name="m", model=model("member"))]),
        {"leader", "member"},
    ),
    "a step": (
        "workflow/c",
        lambda: Workflow(id="c", name="c", steps=[Step(name="s", agent=Agent(name="s", model=model("step")))]),
        {"step"},
    ),
    "reasoning, for which agno takes no model of Bedrock": (
        "agent/c",
        lambda: Agent(id="c", model=model("agent"), reasoning_model=model("reasoning")),
        {"agent"},
    ),
    "a parser": (
        "agent/c",
        lambda: Agent(id="c", model=model("agent"), parser_model=model("parser"), output_schema=City),
        {"agent", "parser"},
    ),
    "output": (
        "agent/c",
        lambda: Agent(id="c", model=model("agent"), output_model=model("output")),
        {"agent", "output"},
    ),
    "a memory manager": (
        "agent/c",
        lambda: Agent(
            id="c",
            model=model("agent"),
            memory_manager=MemoryManager(model=model("memory")),
            update_memory_on_run=True,
        ),
        {"agent", "memory"},
    ),
    "a session's summary": (
        "agent/c",
        lambda: Agent(
            id="c",
            model=model("agent"),
            session_summary_manager=SessionSummaryManager(model=model("summary")),
            enable_session_summaries=True,
        ),
        {"agent", "summary"},
    ),
    "a team's parser": (
        "team/c",
        lambda: Team(
            id="c",
            model=model("agent"),
            members=[],
            instructions="Be brief.",
            parser_model=model("parser"),
            output_schema=City,
        ),
        {"agent", "parser"},
    ),
    "a team's output": (
        "team/c",
        lambda: Team(id="c", model=model("agent"), members=[], instructions="Be brief.", output_model=model("output")),
        {"agent", "output"},
    ),
    "questions that follow": (
        "agent/c",
        lambda: Agent(id="c", model=model("agent"), followups=True, followup_model=model("followups")),
        {"agent", "followups"},
    ),
    "a compression of what tools gave": (
        "agent/c",
        lambda: Agent(
            id="c",
            model=model("caller"),
            tools=[consult],
            compress_tool_results=True,
            compression_manager=CompressionManager(model=model("compression"), compress_tool_results_limit=1),
        ),
        {"caller", "tool", "compression"},
    ),
    "a fallback": (
        "agent/c",
        lambda: Agent(id="c", model=model("failing"), fallback_models=[model("fallback")]),
        {"failing", "fallback"},
    ),
    "a tool at run time": (
        "agent/c",
        lambda: Agent(id="c", model=model("caller"), tools=[consult]),
        {"caller", "tool"},
    ),
    "members that a function gives": (
        "team/c",
        lambda: Team(id="c", model=model("leader"), members=lambda: [Agent(id="m", name="m", model=model("made"))]),
        {"leader", "made"},
    ),
    "a function at run time": (
        "workflow/c",
        lambda: Workflow(id="c", name="c", steps=[Step(name="s", executor=consult_later)]),
        {"factory"},
    ),
}


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("place", PLACES)
def test_a_bedrock_model_works_wherever_a_component_has_one(provider: Provider, place: str, stream: bool) -> None:
    path, make, models = PLACES[place]
    provider.answers = [answer]
    played = play(engine_of(make()), request_of(path, "hello", stream=stream))

    assert played.outcome.status is RunStatus.COMPLETED, played.outcome.error
    assert {asked_model(asked) for asked in provider.asked} == models


def test_what_agno_does_not_know_passes_unchanged(provider: Provider) -> None:
    guarded = {"guardrailConfig": {"guardrailIdentifier": "g1", "guardrailVersion": "1"}}
    provider.answers = [answer]
    thinking = {"additionalModelRequestFields": {"reasoning_config": {"type": "enabled", "budget_tokens": 1024}}}
    agent = Agent(id="c", model=model("agent", request_params=guarded | thinking))
    played = play(engine_of(agent), request_of("agent/c", "hello", stream=False))

    assert played.outcome.status is RunStatus.COMPLETED
    assert {name: provider.asked[0].body[name] for name in guarded | thinking} == guarded | thinking


def test_a_request_that_boto3_does_not_send_is_told_with_its_reason(provider: Provider) -> None:
    played = play(engine_of(Team(id="c", model=model("agent"), members=[])), request_of("team/c", "hello"))

    assert played.outcome.status is RunStatus.ERROR
    assert played.outcome.error == (
        "The request to the model amazon.agent-v1:0 is not valid for Bedrock: "
        "Invalid length for parameter system[0].text, value: 0, valid min length: 1"
    )
    assert provider.asked == []


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_claude_of_anthropics_client_has_the_credentials_of_the_functions_role(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the role")
    dialect = BedrockMessages()
    provider.answers = [(dialect.stream if stream else dialect.whole)(Turn(texts=("hello",)))]
    claude = model_of("aws:Claude", id="anthropic.claude-tested-v1:0", client_params={"max_retries": 0})
    with asyncio.Runner() as loop:
        played = play(engine_of(Agent(id="c", model=claude)), request_of("agent/c", "hello", stream=stream), loop=loop)
        loop.run(claude.async_client.close())

    assert (played.outcome.status, played.content) == (RunStatus.COMPLETED, "hello")
    [asked] = provider.asked
    assert signed_by(asked) == ("test", "eu-west-1")
    assert {name.lower(): value for name, value in asked.headers.items()}["x-amz-security-token"] == "of the role"


def test_tokens_are_counted_by_bedrock(provider: Provider) -> None:
    provider.answers = [Answer([b'{"inputTokens": 41}'])]
    engine_of()

    assert model("agent").count_tokens([Message(role="user", content="hello")]) == 41
    assert provider.asked[0].path == "/model/amazon.agent-v1%3A0/count-tokens"


@pytest.mark.usefixtures("provider")
def test_models_of_one_region_share_a_client() -> None:
    engine_of()

    def shared(model: AwsBedrock) -> object:
        return model.get_client()._client

    assert shared(model("one")) is shared(model("two"))
    assert shared(model("one", aws_region="us-east-1")) is shared(model("two", aws_region="us-east-1"))
    assert shared(model("one", aws_region="us-east-1")).meta.region_name == "us-east-1"
    assert shared(model("one")).meta.region_name == "eu-west-1"


def signed_by(asked: Asked) -> tuple[str, str]:
    """Key id and region of a request's signature."""
    key, _date, region, *_ = asked.headers["Authorization"].partition("Credential=")[2].split("/")
    return key, region


@pytest.mark.usefixtures("no_bedrock_clients")
def test_a_model_keeps_the_credentials_and_the_region_that_it_brings(provider: Provider) -> None:
    provider.answers = [answer]
    own = model("agent", aws_access_key_id="own", aws_secret_access_key="s3cret", aws_region="eu-north-1")
    play(engine_of(Agent(id="c", model=own)), request_of("agent/c", "hello"))

    assert [signed_by(asked) for asked in provider.asked] == [("own", "eu-north-1")]
    assert bedrock_models._clients == {}


@pytest.mark.usefixtures("no_bedrock_clients")
def test_a_model_keeps_the_session_that_it_brings(provider: Provider) -> None:
    provider.answers = [answer]
    session = boto3.Session(aws_access_key_id="sessions", aws_secret_access_key="s3cret", region_name="us-west-2")
    play(engine_of(Agent(id="c", model=model("agent", session=session))), request_of("agent/c", "hello"))

    assert [signed_by(asked) for asked in provider.asked] == [("sessions", "us-west-2")]
    assert bedrock_models._clients == {}


@pytest.mark.usefixtures("no_bedrock_clients")
def test_a_model_keeps_the_client_that_it_brings(provider: Provider) -> None:
    provider.answers = [answer]
    client = boto3.client("bedrock-runtime", "ap-south-1", aws_access_key_id="clients", aws_secret_access_key="s")
    play(engine_of(Agent(id="c", model=model("agent", client=client))), request_of("agent/c", "hello"))
    threaded = ThreadedBedrock(lambda: client)
    play(engine_of(Agent(id="c", model=model("agent", async_client=threaded))), request_of("agent/c", "hello"))

    assert [signed_by(asked) for asked in provider.asked] == [("clients", "ap-south-1")] * 2
    assert bedrock_models._clients == {}


IMPORTED_LATER = """
import sys
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.engine import AgnoEngine
AgnoEngine(Components())
assert not [name for name in sys.modules if name.startswith(("agno.models.aws", "boto3"))]
from agno.models.aws import Claude
from agno.models.aws.bedrock import AwsBedrock
print(type(AwsBedrock().get_async_client()).__name__)
"""


def test_bedrock_is_imported_by_those_who_use_it_only() -> None:
    command = [sys.executable, "-c", IMPORTED_LATER]
    environment = {**os.environ, "PYTHONPATH": LAYERS_PATH}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert (done.stdout, done.stderr) == ("ThreadedBedrock\n", "")
