"""What API Gateway answers by itself, as the template's API has it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-responses-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.settings import InvalidTemplate

_HEADER = "gatewayresponse.header."


class Refusal(StrEnum):
    """Why there is no answer of a function, by the type that API Gateway has for it."""

    NO_ROUTE = "MISSING_AUTHENTICATION_TOKEN"
    TOO_LARGE = "REQUEST_TOO_LARGE"
    TIMED_OUT = "INTEGRATION_TIMEOUT"
    """The function goes on; the integration waits no longer."""
    FAILED = "DEFAULT_5XX"
    """The function crashed, was timed out, or gave no answer in the form that is taken."""


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A whole response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def gateway_responses(definition: Mapping[str, Any]) -> dict[Refusal, GatewayResponse]:
    """The responses of an API's definition. Raises ``InvalidTemplate`` where it leaves one to API Gateway."""
    given = definition.get("x-amazon-apigateway-gateway-responses", {})
    if missing := [refusal for refusal in Refusal if refusal not in given]:
        raise InvalidTemplate(f"the API has no gateway response of type {', '.join(missing)}")
    return {refusal: _response(given[refusal]) for refusal in Refusal}


def _response(spec: Mapping[str, Any]) -> GatewayResponse:
    [(media_type, body)] = spec["responseTemplates"].items()
    headers = {"content-type": media_type, "content-length": str(len(body.encode()))}
    for name, value in spec.get("responseParameters", {}).items():
        if name.startswith(_HEADER):
            headers[name.removeprefix(_HEADER).lower()] = value.strip("'")  # a literal stands in quotes
    encoded = tuple((name.encode(), value.encode()) for name, value in headers.items())
    return GatewayResponse(int(spec["statusCode"]), encoded, body.encode())
