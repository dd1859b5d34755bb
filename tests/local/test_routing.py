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
    ],
)
def test_the_most_specific_resource_takes_the_path(path, match):
    assert ROUTER.match("GET", path) == match


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/agentsx"), ("POST", "/agents"), ("DELETE", "/agents/x"), ("POST", "/agents/health")]
)
def test_no_function_takes_what_is_not_listed(method, path):
    assert ROUTER.match(method, path) is None
