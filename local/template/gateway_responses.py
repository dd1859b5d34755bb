"""What API Gateway answers itself, as the template's API configures it.

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
    """Why API Gateway answers in place of a function. The values are API Gateway's response types."""

    NO_ROUTE = "MISSING_AUTHENTICATION_TOKEN"
    TOO_LARGE = "REQUEST_TOO_LARGE"
    TIMED_OUT = "INTEGRATION_TIMEOUT"
    """The integration waits no longer. The function goes on."""
    FAILED = "DEFAULT_5XX"
    """The function crashed, timed out, or gave a malformed answer."""


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A complete response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def gateway_responses(definition: Mapping[str, Any]) -> dict[Refusal, GatewayResponse]:
    """The responses in an API's definition. Raises ``InvalidTemplate`` if it leaves one of them to API Gateway."""
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
