"""What the models of components need on AWS, as the manifest tells it."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from agno.agent import Agent
from agno.models.base import Model
from agno.team import Team
from agno.workflow import Step, Workflow

from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.models.demo import DemoModel
from agentos_lambda.engine.models.needs import keys_of, model_needs
from tests.providers.models import model_of

NOVA = {"id": "amazon.nova-lite-v1:0", "provider": "AwsBedrock", "bedrock": True, "region": None, "keys": []}


def nova(**options: object) -> Model:
    return model_of("aws.bedrock:AwsBedrock", id=NOVA["id"], **options)


def tuned() -> Model:
    """Of a subclass of a component's own."""
    return type("Tuned", (type(nova()),), {})(id=NOVA["id"])


@pytest.mark.parametrize(
    ("model", "need"),
    [
        (nova, NOVA),
        (tuned, NOVA),
        (lambda: nova(aws_region="us-east-1"), NOVA | {"region": "us-east-1"}),
        (lambda: nova(session=boto3.Session(region_name="eu-north-1")), NOVA | {"region": "eu-north-1"}),
        (lambda: nova(aws_access_key_id="own", aws_secret_access_key="s"), NOVA | {"bedrock": False}),
    ],
    ids=["plain", "a subclass", "a region", "a session", "credentials"],
)
def test_a_bedrock_model_needs_a_role_unless_it_brings_credentials(
    model: Callable[[], Model], need: dict[str, object]
) -> None:
    assert model_needs([model()]) == [need]


@pytest.mark.parametrize(
    ("model", "options", "keys"),
    [
        ("openai:OpenAIChat", {}, ["OPENAI_API_KEY"]),
        ("openai:OpenAIResponses", {}, ["OPENAI_API_KEY"]),
        ("deepseek:DeepSeek", {}, ["DEEPSEEK_API_KEY"]),
        ("openai:OpenAIChat", {"api_key": "given"}, []),
    ],
)
def test_another_model_needs_the_key_that_its_class_reads(model: str, options: dict[str, str], keys: list[str]) -> None:
    [need] = model_needs([model_of(model, id="m", **options)])
    assert (need["keys"], need["bedrock"]) == (keys, False)


def test_a_class_without_source_needs_what_the_class_it_derives_from_reads() -> None:
    derived = type("Derived", (type(model_of("openai:OpenAIChat", id="m")),), {"__module__": "sys"})
    assert keys_of(derived(id="m")) == ["OPENAI_API_KEY"]


def test_the_manifest_has_every_model_once_wherever_it_stands() -> None:
    member = Agent(id="m", model=nova(), parser_model=model_of("openai:OpenAIChat", id="parser"))
    step = Agent(name="s", model=model_of("deepseek:DeepSeek", id="step"))
    components = Components(
        agents=[Agent(id="a", model=nova()), Agent(id="d", model=DemoModel())],
        teams=[Team(id="t", model=model_of("aws.bedrock:AwsBedrock", id="eu.amazon.nova-pro-v1:0"), members=[member])],
        workflows=[Workflow(id="w", name="w", steps=[Step(name="s", agent=step)])],
    )
    needs = describe_components(components)["model_needs"]
    assert [need["id"] for need in needs] == [NOVA["id"], "eu.amazon.nova-pro-v1:0", "parser", "step"]
