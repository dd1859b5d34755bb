"""The WebSocket API of the template, and its sample events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stack.translation import ROOT

Stack = dict[str, dict[str, Any]]

ACTIONS = ("authenticate", "ping", "start-workflow", "reconnect", "continue-workflow", "cancel-workflow")
ROUTES = {"$connect", "$disconnect", "$default", *ACTIONS}
EVENTS = sorted(path for path in (ROOT / "events").glob("websocket-*.json") if path.stem != "websocket-greet")


def of_type(stack: Stack, name: str) -> dict[str, dict[str, Any]]:
    kind = f"AWS::ApiGatewayV2::{name}"
    return {key: each["Properties"] for key, each in stack.items() if each["Type"] == kind}


def test_messages_are_routed_by_their_action(stack: Stack) -> None:
    (api,) = of_type(stack, "Api").values()
    assert (api["ProtocolType"], api["RouteSelectionExpression"]) == ("WEBSOCKET", "$request.body.action")


def test_there_is_a_route_for_each_action_and_each_leads_to_the_function(stack: Stack) -> None:
    routes = of_type(stack, "Route")
    assert sorted(route["RouteKey"] for route in routes.values()) == sorted(ROUTES)
    assert {route["Target"] for route in routes.values()} == {"integrations/${WebSocketIntegration}"}
    (integration,) = of_type(stack, "Integration").values()
    assert (integration["IntegrationType"], integration["IntegrationMethod"]) == ("AWS_PROXY", "POST")
    assert "functions/${WebSocketFunction.Arn}/invocations" in integration["IntegrationUri"]


def test_no_route_answers_by_itself_since_the_function_posts(stack: Stack) -> None:
    assert not of_type(stack, "RouteResponse")
    assert all("RouteResponseSelectionExpression" not in route for route in of_type(stack, "Route").values())


def test_a_change_of_a_route_is_deployed(stack: Stack) -> None:
    (stage,) = of_type(stack, "Stage").values()
    assert (stage["StageName"], stage["AutoDeploy"]) == ("v1", True)


def test_the_stage_is_created_after_the_routes_without_which_it_cannot_be_deployed(stack: Stack) -> None:
    (stage,) = (each for each in stack.values() if each["Type"] == "AWS::ApiGatewayV2::Stage")
    assert sorted(stage["DependsOn"]) == sorted(of_type(stack, "Route"))


def test_messages_are_throttled_as_requests_are(stack: Stack) -> None:
    (stage,) = of_type(stack, "Stage").values()
    (requests,) = stack["Apiv1Stage"]["Properties"]["MethodSettings"]
    limits = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    assert [stage["DefaultRouteSettings"][name] for name in limits] == [requests[name] for name in limits]


def test_the_function_ends_when_api_gateway_stops_waiting(stack: Stack) -> None:
    assert stack["WebSocketFunction"]["Properties"]["Timeout"] == 29


def test_greetings_need_no_queue(stack: Stack) -> None:
    sources = [each["Properties"] for each in stack.values() if each["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert [source["FunctionName"] for source in sources] == ["WorkerFunction"]


def test_connections_without_the_key_are_found_by_the_time_at_which_they_are_overdue(stack: Stack) -> None:
    [index] = stack["ConnectionsTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("unauthenticated", {"ProjectionType": "KEYS_ONLY"})
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["unauthenticated", "authenticate_by"]


def test_connections_expire_and_are_not_kept(stack: Stack) -> None:
    table = stack["ConnectionsTable"]
    properties = table["Properties"]
    assert properties["KeySchema"] == [{"AttributeName": "connection_id", "KeyType": "HASH"}]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_the_function_knows_its_table_its_queue_and_where_to_post(stack: Stack) -> None:
    variables = stack["WebSocketFunction"]["Properties"]["Environment"]["Variables"]
    assert {name: variables[name] for name in ("CONNECTIONS_TABLE", "RUNS_QUEUE_URL")} == {
        "CONNECTIONS_TABLE": "ConnectionsTable",
        "RUNS_QUEUE_URL": "RunsQueue",
    }
    assert variables["WEBSOCKET_MANAGEMENT_URL"].startswith("https://${WebSocketApi}.execute-api.")


def test_clients_learn_where_the_websocket_is(stack: Stack) -> None:
    variables = stack["ConfigFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["WEBSOCKET_URL"] == "wss://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"


def load(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def test_there_is_a_sample_event_for_each_route() -> None:
    assert {load(path)["requestContext"]["routeKey"] for path in EVENTS} == ROUTES


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_sample_event_says_what_its_route_does_and_names_nobody(path: Path) -> None:
    event = load(path)
    context = event["requestContext"]
    expected = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}.get(context["routeKey"], "MESSAGE")
    assert context["eventType"] == expected
    assert context["identity"]["sourceIp"].startswith("203.0.113.")
    if context["routeKey"] in ACTIONS:
        assert json.loads(event["body"])["action"] == context["routeKey"]
