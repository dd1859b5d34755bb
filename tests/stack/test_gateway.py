"""Routes, the switch between streaming and buffered answers, and what API Gateway answers itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from agentos_lambda.api.routes.not_served import NOT_SERVED
from local.gateway.routing import Router
from local.template.rest_api import Route
from tests.stack.translation import HTTP_FUNCTIONS, RUN_FUNCTIONS, cloudformation, translate

Stack = dict[str, dict[str, Any]]

CONFIG_PATHS = (
    "/",
    "/health",
    "/info",
    "/config",
    "/models",
    "/chat",
    "/chat/{name}",
    "/docs",
    "/docs/{name}",
    "/redoc",
    "/openapi.json",
)
LAMBDA = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"


def body(stack: Stack) -> dict[str, Any]:
    return stack["Api"]["Properties"]["Body"]


def integrations(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation["x-amazon-apigateway-integration"]
        for path, operations in body(stack)["paths"].items()
        for method, operation in operations.items()
    }


def functions(stack: Stack) -> dict[tuple[str, str], str]:
    return {
        route: integration["uri"].split("${")[-1].split(".Arn}")[0]
        for route, integration in integrations(stack).items()
    }


MEMORY_ROUTES = {
    "/memories": ("get", "post", "delete"),
    "/memories/{memory_id}": ("get", "patch", "delete"),
    "/memory_topics": ("get",),
    "/user_memory_stats": ("get",),
}
SESSION_ROUTES = {
    "/sessions": ("get", "post", "delete"),
    "/sessions/{session_id}": ("get", "patch", "delete"),
    "/sessions/{session_id}/rename": ("post",),
    "/sessions/{session_id}/runs": ("get",),
    "/sessions/{session_id}/runs/{run_id}": ("get",),
    "/sessions/{session_id}/run-previews": ("get",),
    "/sessions/{session_id}/media/{proxy+}": ("get",),
}
ACCOUNT_ROUTES = {
    "/usage": ("get",),
    "/service-accounts": ("get", "post"),
    "/service-accounts/{service_account_id}": ("delete",),
}
_PART = re.compile(r"\{[^}]+\}")
KINDS = {"agents": "agent_id", "teams": "team_id", "workflows": "workflow_id"}
WAITS_MS = dict.fromkeys(HTTP_FUNCTIONS, 900_000) | {"ConfigFunction": 29_000, "ControlFunction": 29_000}


def by_function(stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    routes = functions(stack)
    return [(routes[route], integration) for route, integration in integrations(stack).items()]


def expected_routes() -> dict[tuple[str, str], str]:
    expected = {(path, method): "ConfigFunction" for path in CONFIG_PATHS for method in ("get", "options")}
    for kind, parameter in KINDS.items():
        run_function, component = f"{kind.capitalize()}Function", f"/{kind}/{{{parameter}}}"
        run = f"{component}/runs/{{run_id}}"
        expected |= {
            (f"/{kind}", "get"): "ControlFunction",
            (component, "get"): "ControlFunction",
            (f"{component}/runs", "get"): "ControlFunction",
            (f"{component}/runs", "post"): run_function,
            (run, "get"): "ControlFunction",
            (f"{run}/cancel", "post"): "ControlFunction",
            (f"{run}/resume", "post"): "FollowFunction",
            (f"{run}/continue", "post"): run_function,
        }
    for path, methods in {**SESSION_ROUTES, **MEMORY_ROUTES, **ACCOUNT_ROUTES}.items():
        expected |= {(path, method): "ControlFunction" for method in methods}
    expected["/optimize-memories", "post"] = "AgentsFunction"
    preflights = {(path, "options"): "ControlFunction" for path, _ in expected if path not in CONFIG_PATHS}
    return expected | preflights


def served(stack: Stack) -> dict[tuple[str, str], str]:
    return {route: function for route, function in functions(stack).items() if not is_refused(route[0])}


def is_refused(path: str) -> bool:
    """Whether nothing that AgentOS has under this path is served."""
    if path.endswith("{proxy+}"):
        return any(each.startswith(path.removesuffix("{proxy+}")) for each in NOT_SERVED)
    return _PART.sub("{}", path) in {_PART.sub("{}", each) for each in NOT_SERVED}


def test_each_route_and_method_is_listed_and_goes_to_the_function_for_what_it_does(stack: Stack) -> None:
    assert served(stack) == expected_routes()


@pytest.mark.parametrize(("path", "method"), [(path, each) for path, methods in NOT_SERVED.items() for each in methods])
def test_what_is_not_served_leads_to_control(stack: Stack, path: str, method: str) -> None:
    routes = [Route(each, {"GET": each}) for each, found in functions(stack) if found == method.lower()]
    found = Router(routes).match("GET", _PART.sub("some", path))
    assert found is not None
    assert functions(stack)[found.function, method.lower()] == "ControlFunction"


def test_only_what_runs_a_component_or_a_model_leads_to_what_executes_runs(stack: Stack) -> None:
    executing = {route for route, function in functions(stack).items() if function in RUN_FUNCTIONS}
    asked = {(method, path.rpartition("/")[2]) for path, method in executing}
    assert asked == {("post", "runs"), ("post", "continue"), ("post", "optimize-memories")}


def test_siblings_have_one_variable_path_part_because_api_gateway_allows_no_other(stack: Stack) -> None:
    """Neither sam nor the local clouds check it: it fails the deployment."""
    variable: dict[str, set[str]] = {}
    for path in body(stack)["paths"]:
        parts = path.split("/")
        for place, part in enumerate(parts):
            if "{" in part:
                variable.setdefault("/".join(parts[:place]), set()).add(part)
    assert {parent: parts for parent, parts in variable.items() if len(parts) > 1} == {}
    assert variable["/agents"] == {"{agent_id}"}


def test_only_what_is_not_served_and_keys_of_media_take_whatever_lies_below(stack: Stack) -> None:
    greedy = [path for path in body(stack)["paths"] if "+}" in path]
    assert [path for path in greedy if not is_refused(path)] == ["/sessions/{session_id}/media/{proxy+}"]


def test_streaming_every_route_streams_and_every_function_runs_our_loop(stack: Stack) -> None:
    for function, integration in by_function(stack):
        assert integration == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "responseTransferMode": "STREAM",
            "timeoutInMillis": WAITS_MS[function],
            "uri": f"{LAMBDA}/2021-11-15/functions/${{{function}.Arn}}/response-streaming-invocations",
        }
        properties = stack[function]["Properties"]
        assert properties["Timeout"] * 1000 <= WAITS_MS[function]
        assert properties["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bin/stream-wrapper"


def test_buffered_no_route_streams_and_no_function_runs_our_loop(buffered_stack: Stack) -> None:
    for function, integration in by_function(buffered_stack):
        assert integration == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "responseTransferMode": "BUFFERED",
            "timeoutInMillis": 29_000,
            "uri": f"{LAMBDA}/2015-03-31/functions/${{{function}.Arn}}/invocations",
        }
        variables = buffered_stack[function]["Properties"]["Environment"]["Variables"]
        assert "AWS_LAMBDA_EXEC_WRAPPER" not in variables


def stage_variables(stack: Stack) -> dict[str, str]:
    [stage] = [each["Properties"] for each in stack.values() if each["Type"] == "AWS::ApiGateway::Stage"]
    variables: dict[str, str] = stage["Variables"]
    return variables


def test_each_request_tells_its_function_whether_the_stage_takes_a_stream(stack: Stack, buffered_stack: Stack) -> None:
    assert stage_variables(stack) == {"responseMode": "streaming"}
    assert stage_variables(buffered_stack) == {"responseMode": "buffered"}


@pytest.mark.parametrize(
    ("before", "after"), [("streaming", "switching"), ("switching", "buffered"), ("buffered", "streaming")]
)
def test_no_step_from_a_mode_to_another_takes_the_loop_from_functions_whose_stage_streams(
    before: str, after: str
) -> None:
    """CloudFormation changes the functions before the stage: in between, new functions answer the old stage."""
    old, new = translate(ResponseMode=before), translate(ResponseMode=after)
    for function in HTTP_FUNCTIONS:
        loop = "AWS_LAMBDA_EXEC_WRAPPER" in new[function]["Properties"]["Environment"]["Variables"]
        assert loop or stage_variables(old) == {"responseMode": "buffered"}


def test_buffered_a_follower_is_let_go_when_api_gateway_no_longer_waits(buffered_stack: Stack) -> None:
    assert buffered_stack["FollowFunction"]["Properties"]["Timeout"] == 29


def test_each_deployment_of_the_stack_deploys_the_api_so_that_a_switch_of_modes_reaches_the_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployments = set()
    for second, mode in enumerate(("streaming", "buffered")):
        monkeypatch.setattr("samtranslator.model.apigateway.time.time", lambda second=second: float(second))
        stage = cloudformation(ResponseMode=mode)["Resources"]["Apiv1Stage"]["Properties"]
        deployments.add(stage["DeploymentId"]["Ref"])
    assert len(deployments) == 2


def test_the_api_is_regional_and_has_one_stage(stack: Stack) -> None:
    assert stack["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    stages = [each["Properties"] for each in stack.values() if each["Type"] == "AWS::ApiGateway::Stage"]
    assert [stage["StageName"] for stage in stages] == ["v1"]


def test_every_body_that_is_read_reaches_a_function_as_it_was_sent(stack: Stack) -> None:
    read = ["multipart/form-data", "application/json", "application/x-www-form-urlencoded"]
    assert body(stack)["x-amazon-apigateway-binary-media-types"] == read


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", 404, "NOT_FOUND"),
        ("INVALID_SIGNATURE", 404, "NOT_FOUND"),
        ("DEFAULT_4XX", 404, "NOT_FOUND"),
        ("RESOURCE_NOT_FOUND", 404, "NOT_FOUND"),
        ("UNAUTHORIZED", 401, "UNAUTHORIZED"),
        ("EXPIRED_TOKEN", 401, "UNAUTHORIZED"),
        ("INVALID_API_KEY", 403, "FORBIDDEN"),
        ("ACCESS_DENIED", 403, "FORBIDDEN"),
        ("WAF_FILTERED", 403, "FORBIDDEN"),
        ("BAD_REQUEST_BODY", 400, "BAD_REQUEST"),
        ("BAD_REQUEST_PARAMETERS", 400, "BAD_REQUEST"),
        ("UNSUPPORTED_MEDIA_TYPE", 400, "BAD_REQUEST"),
        ("REQUEST_TOO_LARGE", 413, "PAYLOAD_TOO_LARGE"),
        ("THROTTLED", 429, "TOO_MANY_REQUESTS"),
        ("QUOTA_EXCEEDED", 429, "TOO_MANY_REQUESTS"),
        ("INTEGRATION_TIMEOUT", 503, "SERVICE_UNAVAILABLE"),
        ("INTEGRATION_FAILURE", 503, "SERVICE_UNAVAILABLE"),
        ("AUTHORIZER_FAILURE", 503, "SERVICE_UNAVAILABLE"),
        ("DEFAULT_5XX", 500, "INTERNAL_ERROR"),
    ],
)
def test_what_api_gateway_answers_itself_has_our_error_format_and_any_page_may_read_it(
    stack: Stack, kind: str, status: int, code: str
) -> None:
    answer = body(stack)["x-amazon-apigateway-gateway-responses"][kind]
    error = json.loads(answer["responseTemplates"]["application/json"])
    assert error.keys() == {"detail", "error_code"}
    assert (int(answer["statusCode"]), error["error_code"]) == (status, code)
    assert answer["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"


OF_CLIENTS = {
    *("ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "EXPIRED_TOKEN", "INVALID_API_KEY"),
    *("INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE"),
    *("RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"),
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"""


def test_no_error_of_a_client_that_has_a_name_is_taken_for_an_unknown_path(stack: Stack) -> None:
    """DEFAULT_4XX changes the status of every 4XX without an answer of its own."""
    assert body(stack)["x-amazon-apigateway-gateway-responses"].keys() >= OF_CLIENTS


def test_an_unknown_path_is_not_found(stack: Stack) -> None:
    answers = body(stack)["x-amazon-apigateway-gateway-responses"]
    template = answers["MISSING_AUTHENTICATION_TOKEN"]["responseTemplates"]["application/json"]
    assert json.loads(template) == {"detail": "Not Found", "error_code": "NOT_FOUND"}


def test_a_throttled_client_learns_when_to_retry(stack: Stack) -> None:
    answer = body(stack)["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    assert answer["responseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"
