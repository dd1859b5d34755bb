"""Parameters that do not go together: CloudFormation refuses them before it changes anything."""

from __future__ import annotations

import pytest

from local.template.intrinsics import Intrinsics
from tests.stack.translation import cloudformation, source

ISSUER = {"JwtIssuer": "https://issuer.example"}
CERTIFICATE = {"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"}


def refused(**parameters: str) -> list[str]:
    """What CloudFormation says of a deployment with these parameters."""
    template = source()
    resolve = Intrinsics({"Parameters": template["Parameters"]}, {}, parameters).resolve
    return [
        each["AssertDescription"]
        for rule in template["Rules"].values()
        if resolve(rule["RuleCondition"])
        for each in rule["Assertions"]
        if not resolve(each["Assert"])
    ]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        (ISSUER, "JwtAudience"),
        ({"DomainName": "api.example.com"}, "CertificateArn"),
        ({"WebSocketDomainName": "ws.example.com"}, "CertificateArn"),
        ({"DomainBasePath": "os"}, "DomainName"),
        ({"DomainName": "api.example.com", "WebSocketDomainName": "api.example.com", **CERTIFICATE}, "share no domain"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters: dict[str, str], named: str) -> None:
    [told] = refused(**parameters)
    assert named in told


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {**ISSUER, "JwtAudience": "agentos"},
        {"JwtVerificationKey": "-----BEGIN"},
        {"DomainName": "api.example.com", "DomainBasePath": "os", **CERTIFICATE},
        {"WebSocketDomainName": "ws.example.com", **CERTIFICATE},
        {"DomainName": "api.example.com", "WebSocketDomainName": "ws.example.com", **CERTIFICATE},
    ],
)
def test_parameters_that_go_together_are_taken(parameters: dict[str, str]) -> None:
    assert refused(**parameters) == []


def test_the_rules_reach_cloudformation() -> None:
    assert cloudformation()["Rules"] == source()["Rules"]
