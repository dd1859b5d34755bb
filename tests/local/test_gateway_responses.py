"""What the local gateway answers itself is what the template says."""

import json
from functools import cache
from pathlib import Path

import pytest

from local.settings import InvalidTemplate
from local.template.document import Template
from local.template.gateway_responses import Refusal, gateway_responses

ROOT = Path(__file__).parents[2]


@cache
def template(mode="streaming"):
    return Template.load(ROOT / "template.yaml", {"ResponseMode": mode})


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (Refusal.NO_ROUTE, 404, "NOT_FOUND"),
        (Refusal.TOO_LARGE, 413, "PAYLOAD_TOO_LARGE"),
        (Refusal.TIMED_OUT, 503, "SERVICE_UNAVAILABLE"),
        (Refusal.FAILED, 500, "INTERNAL_ERROR"),
    ],
)
def test_the_project_s_template_has_a_response_of_each_kind(refusal, status, code):
    response = template().gateway_responses[refusal]
    assert (response.status, json.loads(response.body)["error_code"]) == (status, code)
    assert dict(response.headers) == {
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(response.body),
        b"access-control-allow-origin": b"*",
    }


def test_integrations_wait_as_long_as_the_response_mode_says():
    streaming, buffered = (template(mode).integration_timeouts for mode in ("streaming", "buffered"))
    for function in ("AgentsFunction", "FollowFunction"):
        assert (streaming[function], buffered[function]) == (900, 29)
    for function in ("ConfigFunction", "ControlFunction"):
        assert streaming[function] == buffered[function] == 29


def test_a_response_that_is_left_to_api_gateway_is_an_error():
    with pytest.raises(InvalidTemplate, match="REQUEST_TOO_LARGE, INTEGRATION_TIMEOUT"):
        gateway_responses({"x-amazon-apigateway-gateway-responses": {"MISSING_AUTHENTICATION_TOKEN": {}}})
