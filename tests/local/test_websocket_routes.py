"""Which function a message goes to, and the event that the function gets."""

import pytest

from local.gateway.websocket_event import Handshake, connect_event, disconnect_event, message_event
from local.settings import ROOT, InvalidTemplate
from local.template.document import Template
from local.template.websocket_routes import route_key, websocket_routes
from tests.stack.test_websocket import ROUTES

HANDSHAKE = Handshake([("host", "127.0.0.1"), ("cookie", "a"), ("cookie", "b")], "192.0.2.1", 1_800_000_000_000)
INTEGRATION = {"I": {"IntegrationUri": "arn:…:functions/Sockets.Arn/invocations"}}


def test_the_template_s_routes_lead_to_its_function():
    template = Template.load(ROOT / "template.yaml")
    assert template.websocket_routes == dict.fromkeys(ROUTES, "WebSocketFunction")


@pytest.mark.parametrize("route", [{"RouteKey": "a"}, {"RouteKey": "a", "Target": "integrations/other"}])
def test_a_websocket_route_to_nowhere_is_an_error(route):
    with pytest.raises(InvalidTemplate):
        websocket_routes({"R": route}, INTEGRATION, {"Sockets"})
    with pytest.raises(InvalidTemplate):
        websocket_routes({"R": {"RouteKey": "a", "Target": "integrations/I"}}, INTEGRATION, {"Others"})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"action": "ping"}', "ping"),
        ('{"action": "other"}', "$default"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": 7}', "$default"),
        ("[]", "$default"),
        ("not json", "$default"),
        ("[" * 100_000, "$default"),
    ],
)
def test_a_message_is_routed_by_its_action_and_else_to_the_default(text, key):
    assert route_key({"ping", "$connect", "$default"}, text) == key


def test_without_a_default_an_unknown_action_has_no_route():
    assert route_key({"ping"}, "{}") is None


def test_only_the_event_of_a_connect_has_the_headers():
    connect = connect_event("c-1", HANDSHAKE)
    assert connect["headers"] == {"host": "127.0.0.1", "cookie": "b"}
    assert connect["multiValueHeaders"]["cookie"] == ["a", "b"]
    message = message_event("c-1", HANDSHAKE, "ping", '{"action": "ping"}')
    disconnect = disconnect_event("c-1", HANDSHAKE, 1001, "going away")
    assert "headers" not in message
    assert [event["requestContext"]["eventType"] for event in (connect, message, disconnect)] == [
        "CONNECT",
        "MESSAGE",
        "DISCONNECT",
    ]
    assert {event["requestContext"]["connectionId"] for event in (connect, message, disconnect)} == {"c-1"}
    assert (message["body"], message["isBase64Encoded"]) == ('{"action": "ping"}', False)
    assert disconnect["requestContext"]["disconnectStatusCode"] == 1001
