"""Each function answers the routes that the template gives it, and a kind's function all of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentos_lambda.api.routes.not_served import NOT_SERVED
from tests.aws.gateway_events import request_event
from tests.functions.handlers import Context, load_handler
from tests.stack.test_gateway import functions, is_refused
from tests.stack.translation import RUN_FUNCTIONS, translate

ROUTES = {(method.upper(), path): function for (path, method), function in functions(translate()).items()}
NO_ROUTE = {"detail": "Not Found", "error_code": "NOT_FOUND"}
KINDS = [function.removesuffix("Function").lower() for function in RUN_FUNCTIONS]


def routes_under(path: str) -> Iterator[tuple[str, str]]:
    return ((method, route) for method, route in ROUTES if route.startswith(path) and method != "OPTIONS")


def knows(handler: Callable[[Any, Any], Any], method: str, resource: str) -> bool:
    """Whether the app has this route. What it has no route for it answers with the words of no resource."""
    answer = handler(request_event(resource.replace("{", "").replace("}", ""), method=method), Context())
    return answer["statusCode"] != 405 and json.loads(answer["body"] or "{}") != NO_ROUTE


@pytest.mark.parametrize("function", ["control", "follow"])
def test_a_function_answers_the_routes_that_the_template_gives_it(aws: Any, function: str) -> None:
    handler = load_handler(function)
    own = [
        route
        for route in routes_under("/")
        if ROUTES[route] == f"{function.capitalize()}Function" and not is_refused(route[1])
    ]
    assert own
    assert [route for route in own if not knows(handler, *route)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_function_of_a_kind_answers_every_route_of_it_so_that_it_is_complete_alone(aws: Any, kind: str) -> None:
    handler = load_handler(kind)
    every = [route for route in routes_under(f"/{kind}") if not is_refused(route[1])]
    assert len(every) == 8
    every += [route for route, function in ROUTES.items() if function == f"{kind.capitalize()}Function"]
    assert [route for route in every if not knows(handler, *route)] == []


def test_what_executes_nothing_has_no_route_that_starts_or_continues_a_run(aws: Any) -> None:
    executing = [route for route, function in ROUTES.items() if function in RUN_FUNCTIONS]
    for function in ("control", "follow"):
        handler = load_handler(function)
        assert [route for route in executing if knows(handler, *route)] == []


def test_operations_of_agentos_that_are_not_served_are_told_from_wrong_paths(aws: Any) -> None:
    handler = load_handler("control")
    asked = [(method, path) for path, methods in NOT_SERVED.items() for method in methods]
    answers = [handler(request_event(_filled(path), method=method), Context()) for method, path in asked]
    assert {answer["statusCode"] for answer in answers} == {501}
    assert {json.loads(answer["body"])["error_code"] for answer in answers} == {"NOT_IMPLEMENTED"}
    wrong = handler(request_event("/memories/some/thing"), Context())
    assert wrong["statusCode"] == 404


def _filled(path: str) -> str:
    return path.replace("{", "").replace("}", "")
