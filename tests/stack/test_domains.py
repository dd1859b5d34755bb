"""Domains of one's own, for the HTTP API and for the WebSocket."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.stack.translation import source, translate

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"
NAMES = {"DomainName": "api.example.com", "WebSocketDomainName": "ws.example.com", "CertificateArn": CERTIFICATE}


def of_type(kind: str, **parameters: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in translate(**parameters).values() if each["Type"] == kind]


def test_without_a_name_there_is_no_domain() -> None:
    kinds = {each["Type"] for each in translate().values()}
    assert not any("DomainName" in kind or "Mapping" in kind for kind in kinds if "ApiGateway" in kind)


def test_the_http_api_is_mapped_to_its_name_and_base_path() -> None:
    [domain] = of_type("AWS::ApiGateway::DomainName", **NAMES)
    assert (domain["DomainName"], domain["RegionalCertificateArn"]) == ("api.example.com", CERTIFICATE)
    assert (domain["EndpointConfiguration"], domain["SecurityPolicy"]) == ({"Types": ["REGIONAL"]}, "TLS_1_2")
    [mapping] = of_type("AWS::ApiGateway::BasePathMapping", **NAMES, DomainBasePath="os")
    assert mapping == {"DomainName": "Domain", "BasePath": "os", "RestApiId": "Api", "Stage": "Apiv1Stage"}
    [at_the_root] = of_type("AWS::ApiGateway::BasePathMapping", **NAMES)
    assert "BasePath" not in at_the_root


def test_the_websocket_is_mapped_to_a_name_of_its_own_and_info_tells_it() -> None:
    [domain] = of_type("AWS::ApiGatewayV2::DomainName", **NAMES)
    [configuration] = domain["DomainNameConfigurations"]
    assert (domain["DomainName"], configuration["CertificateArn"]) == ("ws.example.com", CERTIFICATE)
    [mapping] = of_type("AWS::ApiGatewayV2::ApiMapping", **NAMES)
    assert mapping == {"DomainName": "WebSocketDomain", "ApiId": "WebSocketApi", "Stage": "WebSocketStage"}
    variables = translate(**NAMES)["ConfigFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["WEBSOCKET_URL"] == "wss://${WebSocketDomainName}"


def test_functions_post_to_connections_past_the_domain() -> None:
    """The name may not lead anywhere yet, and the role allows this API's own connections."""
    here = translate(**NAMES)["WorkerFunction"]["Properties"]["Environment"]["Variables"]["WEBSOCKET_MANAGEMENT_URL"]
    assert here == translate()["WorkerFunction"]["Properties"]["Environment"]["Variables"]["WEBSOCKET_MANAGEMENT_URL"]


def test_the_outputs_are_the_public_urls_and_what_dns_has_to_lead_to() -> None:
    outputs = source()["Outputs"]
    assert outputs["HttpUrl"]["Value"]["Fn::If"][0] == "HasDomain"
    assert outputs["WebSocketUrl"]["Value"]["Fn::If"][0] == "HasWebSocketDomain"
    assert outputs["DomainTarget"]["Value"] == {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}
    assert outputs["WebSocketDomainTarget"]["Value"] == {"Fn::GetAtt": ["WebSocketDomain", "RegionalDomainName"]}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "DomainName",
            ["", "api.example.com"],
            ["api", "https://api.example.com", "api.example.com/os", "*.a.io"],
        ),
        ("WebSocketDomainName", ["", "ws.example.com"], ["ws", "wss://ws.example.com"]),
        ("DomainBasePath", ["", "os", "v1.2"], ["/os", "os/", "a/b", "a b"]),
        ("CertificateArn", ["", CERTIFICATE], ["certificate/1", CERTIFICATE.replace("acm", "iam")]),
    ],
)
def test_a_value_that_api_gateway_would_refuse_is_refused_before(
    parameter: str, good: list[str], bad: list[str]
) -> None:
    pattern = source()["Parameters"][parameter]["AllowedPattern"]
    assert all(re.search(pattern, value) for value in good)
    assert not any(re.search(pattern, value) for value in bad)
