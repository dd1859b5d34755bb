"""The order of the template, and how it spells its names."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.stack.translation import FUNCTIONS, TEMPLATE, source

SECTIONS = ("Parameters", "Metadata", "Rules", "Conditions", "Globals", "Resources", "Outputs")
ROOMS = (
    "Functions",
    "Layers",
    "REST API",
    "WebSocket API",
    "Queues",
    "Data",
    "Access",
    "Logs",
    "Operation",
)
"""Parts of the resources, each under a comment that begins with its name."""
ROOM_OF = {
    "AWS::Serverless::Function": "Functions",
    "AWS::Serverless::LayerVersion": "Layers",
    "AWS::Serverless::Api": "REST API",
    "AWS::ApiGateway::DomainName": "REST API",
    "AWS::ApiGateway::BasePathMapping": "REST API",
    "AWS::ApiGatewayV2::Api": "WebSocket API",
    "AWS::ApiGatewayV2::Stage": "WebSocket API",
    "AWS::ApiGatewayV2::Integration": "WebSocket API",
    "AWS::ApiGatewayV2::Route": "WebSocket API",
    "AWS::ApiGatewayV2::DomainName": "WebSocket API",
    "AWS::ApiGatewayV2::ApiMapping": "WebSocket API",
    "AWS::SQS::Queue": "Queues",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::DynamoDB::Table": "Data",
    "AWS::S3::Bucket": "Data",
    "AWS::S3::BucketPolicy": "Data",
    "AWS::SecretsManager::Secret": "Data",
    "AWS::IAM::ManagedPolicy": "Access",
    "AWS::Logs::LogGroup": "Logs",
    "AWS::ApiGateway::Account": "Logs",
    "AWS::SNS::Topic": "Operation",
    "AWS::CloudWatch::Alarm": "Operation",
    "AWS::CloudWatch::Dashboard": "Operation",
}
"""Other types belong to a function, so they stand where it is given access."""
ATTRIBUTES = ("Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Properties")


def rooms() -> dict[str, list[str]]:
    """Part of the resources -> the logical ids in it, read from the text."""
    _, _, resources = TEMPLATE.read_text().partition("\nResources:\n")
    resources, _, _ = resources.partition("\nOutputs:\n")
    found = {}
    for room in resources.split("\n\n"):
        name = re.match(r"  # ([\w ]+)", room)
        assert name, f"a part of the resources has no heading: {room[:60]}"
        found[name[1]] = re.findall(r"^  (\w+):", room, re.MULTILINE)
    return found


def test_the_sections_have_the_order_that_the_head_of_the_template_names() -> None:
    own = [name for name in source() if name not in ("AWSTemplateFormatVersion", "Transform", "Description")]
    assert own == list(SECTIONS)
    assert ", ".join(SECTIONS) in head()


def test_the_resources_have_the_order_that_the_head_of_the_template_names() -> None:
    assert tuple(rooms()) == ROOMS
    named = ", ".join(room if room.isupper() or "API" in room else room.lower() for room in ROOMS)
    assert f"Resources: {named}." in head()


def head() -> str:
    comment = TEMPLATE.read_text().partition("\n# Order.")[2].partition("\n\n")[0]
    return comment.replace("\n# ", " ")


@pytest.mark.parametrize(("name", "resource"), source()["Resources"].items())
def test_a_resource_stands_where_its_type_belongs(name: str, resource: dict[str, Any]) -> None:
    if resource["Type"] in ROOM_OF:
        assert name in rooms()[ROOM_OF[resource["Type"]]]


def test_every_resource_stands_in_a_part() -> None:
    assert [name for names in rooms().values() for name in names] == list(source()["Resources"])


@pytest.mark.parametrize(("name", "resource"), source()["Resources"].items())
def test_the_attributes_of_a_resource_have_one_order(name: str, resource: dict[str, Any]) -> None:
    places = [ATTRIBUTES.index(attribute) for attribute in resource]
    assert all(first < second for first, second in pairwise(places)), name


def test_parameters_stand_in_the_order_of_the_groups_that_the_console_shows() -> None:
    interface = source()["Metadata"]["AWS::CloudFormation::Interface"]
    assert list(source()["Parameters"]) == [
        name for group in interface["ParameterGroups"] for name in group["Parameters"]
    ]
    labels = interface["ParameterLabels"]
    assert list(labels) == [name for name in source()["Parameters"] if name in labels]


def test_websocket_is_spelled_one_way() -> None:
    names = [*source()["Parameters"], *source()["Resources"], *source()["Outputs"], *source()["Conditions"]]
    found = {match[0] for name in names for match in re.finditer("web_?socket", name, re.IGNORECASE)}
    assert found == {"WebSocket"}
    assert "WebSocketFunction" in FUNCTIONS


def test_what_belongs_to_the_websocket_api_is_named_for_it() -> None:
    assert all(name.startswith("WebSocket") for name in rooms()["WebSocket API"])
