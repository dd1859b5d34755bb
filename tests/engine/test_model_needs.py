"""What the models of components need on AWS, as the manifest tells it."""

from __future__ import annotations

import boto3
import pytest
from agno.agent import Agent
from agno.models.aws.bedrock import AwsBedrock
from agno.models.base import Model
from agno.models.deepseek import DeepSeek
from agno.models.openai import OpenAIChat, OpenAIResponses
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.models.needs import model_needs

NOVA = {"id": "amazon.nova-lite-v1:0", "provider": "AwsBedrock", "bedrock": True, "region": None, "keys": []}


class Tuned(AwsBedrock):
    """A subclass of a component's own."""


def nova(**options: object) -> AwsBedrock:
    return AwsBedrock(id=NOVA["id"], **options)


@pytest.mark.parametrize(
    ("model", "need"),
    [
        (nova(), NOVA),
        (Tuned(id=NOVA["id"]), NOVA),
        (nova(aws_region="us-east-1"), NOVA | {"region": "us-east-1"}),
        (nova(session=boto3.Session(region_name="eu-north-1")), NOVA | {"region": "eu-north-1"}),
        (nova(aws_access_key_id="own", aws_secret_access_key="s"), NOVA | {"bedrock": False}),
    ],
    ids=["plain", "a subclass", "a region", "a session", "credentials"],
)
def test_a_bedrock_model_needs_a_role_unless_it_brings_credentials(model: Model, need: dict[str, object]) -> None:
    assert model_needs([model]) == [need]


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (OpenAIChat(id="m"), ["OPENAI_API_KEY"]),
        (OpenAIResponses(id="m"), ["OPENAI_API_KEY"]),
        (DeepSeek(id="m"), ["DEEPSEEK_API_KEY"]),
        (OpenAIChat(id="m", api_key="given"), []),
    ],
)
def test_another_model_needs_the_key_that_its_class_reads(model: Model, keys: list[str]) -> None:
    [need] = model_needs([model])
    assert (need["keys"], need["bedrock"]) == (keys, False)


def test_the_manifest_has_every_model_once_wherever_it_stands() -> None:
    member = Agent(id="m", model=nova(), parser_model=OpenAIChat(id="parser"))
    components = Components(
        agents=[Agent(id="a", model=nova()), Agent(id="d", model=DemoModel())],
        teams=[Team(id="t", model=AwsBedrock(id="eu.amazon.nova-pro-v1:0"), members=[member])],
        workflows=[
            Workflow(id="w", name="w", steps=[Step(name="s", agent=Agent(name="s", model=DeepSeek(id="step")))])
        ],
    )
    needs = describe_components(components)["model_needs"]
    assert [need["id"] for need in needs] == [NOVA["id"], "eu.amazon.nova-pro-v1:0", "parser", "step"]
