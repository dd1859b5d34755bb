import pytest

from local.gateway.routing import Match, Router
from local.template.rest_api import Route

ROUTER = Router(
    [
        Route("/agents/{proxy+}", {"GET": "Agents", "POST": "Agents"}),
        Route("/agents/special/{proxy+}", {"GET": "Special"}),
        Route("/agents/health", {"GET": "Health"}),
        Route("/agents", {"GET": "Agents"}),
        Route("/", {"GET": "Config"}),
        Route("/teams/{team_id}", {"GET": "Control"}),
        Route("/teams/{team_id}/runs", {"GET": "Control", "POST": "Teams"}),
        Route("/teams/{team_id}/runs/{run_id}/cancel", {"POST": "Control"}),
        Route("/teams/health", {"GET": "Health"}),
    ]
)


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/", Match("Config", "/", None)),
        ("/agents", Match("Agents", "/agents", None)),
        ("/agents/", Match("Agents", "/agents", None)),
        ("/agents/health", Match("Health", "/agents/health", None)),
        ("/agents/a%2Fb/runs", Match("Agents", "/agents/{proxy+}", {"proxy": "a%2Fb/runs"})),
        ("/agents/special/x", Match("Special", "/agents/special/{proxy+}", {"proxy": "x"})),
        ("/teams/newsroom", Match("Control", "/teams/{team_id}", {"team_id": "newsroom"})),
        ("/teams/health", Match("Health", "/teams/health", None)),
        ("/teams/a%2Fb/runs", Match("Control", "/teams/{team_id}/runs", {"team_id": "a%2Fb"})),
        ("/teams/health/runs", Match("Control", "/teams/{team_id}/runs", {"team_id": "health"})),
        ("/teams/newsroom/runs/", Match("Control", "/teams/{team_id}/runs", {"team_id": "newsroom"})),
    ],
)
def test_the_most_specific_resource_takes_the_path(path, match):
    assert ROUTER.match("GET", path) == match


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/agentsx"),
        ("POST", "/agents"),
        ("DELETE", "/agents/x"),
        ("POST", "/agents/health"),
        ("GET", "/teams"),
        ("GET", "/teams//runs"),
        ("GET", "/teams/newsroom/members"),
        ("GET", "/teams/newsroom/runs/1/2/cancel"),
    ],
)
def test_no_function_takes_what_is_not_listed(method, path):
    assert ROUTER.match(method, path) is None


def test_the_methods_of_a_resource_may_lead_to_different_functions():
    found = {method: ROUTER.match(method, "/teams/newsroom/runs") for method in ("GET", "POST")}
    assert {method: match.function for method, match in found.items()} == {"GET": "Control", "POST": "Teams"}


def test_each_variable_part_of_a_path_is_a_parameter():
    match = ROUTER.match("POST", "/teams/newsroom/runs/run-1/cancel")
    assert match.path_parameters == {"team_id": "newsroom", "run_id": "run-1"}
