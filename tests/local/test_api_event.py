import base64
import json
import re

import pytest

from local.account import ACCOUNT_ID
from local.gateway.api_event import MAX_EVENT_BYTES, EventTooLarge, HttpRequest, Stage, build_event, encode_event
from local.gateway.routing import Match

MATCH = Match("AgentsFunction", "/agents/{proxy+}", {"proxy": "a%20b/runs"})
STAGE = Stage(8000, frozenset({"multipart/form-data"}))


def request(*, query="", headers=(), body=b"", method="POST"):
    return HttpRequest(
        method=method,
        path="/agents/a%20b/runs",
        query=query,
        headers=[("host", "127.0.0.1:8000"), ("user-agent", "test"), *headers],
        body=body,
        source_ip="192.0.2.7",
        protocol="HTTP/1.1",
    )


def event(**fields):
    return build_event(request(**fields), MATCH, STAGE)


def test_an_event_has_every_field_of_payload_format_1():
    made = event(query="x=1&x=2&y=", headers=[("accept", "a"), ("accept", "b")], body=b"text")
    context = made["requestContext"]
    trace_id = made["headers"]["X-Amzn-Trace-Id"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace_id)
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
    assert made == {
        "resource": "/agents/{proxy+}",
        "path": "/agents/a%20b/runs",
        "httpMethod": "POST",
        "headers": {
            "host": "127.0.0.1:8000",
            "user-agent": "test",
            "accept": "b",
            "X-Amzn-Trace-Id": trace_id,
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Port": "8000",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "host": ["127.0.0.1:8000"],
            "user-agent": ["test"],
            "accept": ["a", "b"],
            "X-Amzn-Trace-Id": [trace_id],
            "X-Forwarded-For": ["192.0.2.7"],
            "X-Forwarded-Port": ["8000"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"x": "2", "y": ""},
        "multiValueQueryStringParameters": {"x": ["1", "2"], "y": [""]},
        "pathParameters": {"proxy": "a%20b/runs"},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "local",
            "resourcePath": "/agents/{proxy+}",
            "httpMethod": "POST",
            "extendedRequestId": context["extendedRequestId"],
            "requestTime": context["requestTime"],
            "path": "/agents/a%20b/runs",
            "accountId": ACCOUNT_ID,
            "protocol": "HTTP/1.1",
            "stage": "local",
            "domainPrefix": "127",
            "requestTimeEpoch": context["requestTimeEpoch"],
            "requestId": context["requestId"],
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "192.0.2.7",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": "test",
                "user": None,
            },
            "domainName": "127.0.0.1",
            "deploymentId": "local",
            "apiId": "local",
        },
        "body": "text",
        "isBase64Encoded": False,
    }


def test_what_a_request_does_not_have_is_null():
    made = event(method="GET")
    assert made["body"] is None
    assert made["queryStringParameters"] is None
    assert made["multiValueQueryStringParameters"] is None


def test_variables_of_the_stage_are_in_every_event():
    stage = Stage(8000, frozenset(), {"responseMode": "buffered"})
    assert build_event(request(), MATCH, stage)["stageVariables"] == {"responseMode": "buffered"}


def test_each_request_has_an_id_of_its_own():
    assert event()["requestContext"]["requestId"] != event()["requestContext"]["requestId"]


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "Multipart/Form-Data"])
def test_the_body_of_a_binary_type_is_base64(content_type):
    made = event(headers=[("content-type", content_type)], body=b"\xff\x00")
    assert made["isBase64Encoded"]
    assert base64.b64decode(made["body"]) == b"\xff\x00"


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", ""])
def test_the_body_of_any_other_type_is_text(content_type):
    made = event(headers=[("content-type", content_type)], body="\u2603".encode())
    assert (made["body"], made["isBase64Encoded"]) == ("\u2603", False)


def test_with_every_type_declared_binary_all_bodies_are_base64():
    made = build_event(request(body=b"x"), MATCH, Stage(1, frozenset({"*/*"})))
    assert made["isBase64Encoded"]


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "Transfer-Encoding", "Expect", "TE", "Upgrade"])
def test_headers_of_the_connection_are_not_passed_on(name):
    assert name.lower() not in event(headers=[(name.lower(), "x")])["headers"]


def test_a_client_cannot_speak_for_the_gateway():
    made = event(headers=[("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")])
    assert "x-forwarded-proto" not in made["headers"]
    assert made["headers"]["X-Forwarded-For"] == "203.0.113.9, 192.0.2.7"


@pytest.mark.parametrize(
    ("content_type", "step", "encoded"), [("text/plain", 1, 1), ("multipart/form-data", 3, 4)], ids=["text", "base64"]
)
def test_the_limit_counts_the_whole_event(content_type, step, encoded):
    def size(steps):
        sent = request(body=b"x" * step * steps, headers=[("content-type", content_type)])
        return len(encode_event(sent, MATCH, STAGE))

    without_body = size(1) - encoded
    most = (MAX_EVENT_BYTES - without_body) // encoded
    assert MAX_EVENT_BYTES - encoded < size(most) <= MAX_EVENT_BYTES
    with pytest.raises(EventTooLarge):
        size(most + 1)


def test_letters_count_as_their_utf_8():
    def size(letters):
        return len(encode_event(request(body=letters.encode()), MATCH, STAGE))

    assert size("\u2603" * 1000) - size("x" * 1000) == 2000


def test_an_event_is_json():
    encoded = encode_event(request(body=b'"\xff'), MATCH, STAGE)
    assert json.loads(encoded)["body"] == '"\ufffd'
