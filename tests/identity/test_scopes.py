"""Scopes and the table of operations: decided as the released AgentOS decides."""

from __future__ import annotations

import importlib.util
import random
import sys
from functools import cache
from types import ModuleType

import pytest

from agentos_lambda.api.responses import TypedRoute
from agentos_lambda.api.routes.not_served import NOT_SERVED
from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.identity.operations import Operation, UnknownOperation, operation
from agentos_lambda.identity.permissions import WORKFLOW_ACTIONS, demand, demand_workflow, may_see
from agentos_lambda.identity.principal import KEY_HOLDER, NOBODY, Principal, PrincipalKind
from agentos_lambda.identity.scopes import ADMIN, Scopes
from agentos_lambda.protocol.values import Kind
from agentos_lambda.websocket import actions
from tests.api.world import document


@cache
def agentos() -> ModuleType:
    """The module of the released AgentOS that decides about scopes. Its package would import the whole server."""
    package = importlib.util.find_spec("agno")
    assert package is not None
    assert package.submodule_search_locations is not None
    spec = importlib.util.spec_from_file_location(
        "agno_scopes", f"{package.submodule_search_locations[0]}/os/scopes.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["agno_scopes"] = module
    spec.loader.exec_module(module)
    return module


def user(*scopes: str) -> Principal:
    return Principal(PrincipalKind.USER, "alice", Scopes(scopes))


def allowed(principal: Principal, method: str, path: str, component_id: str | None = None) -> bool:
    try:
        demand(principal, operation(method, path), component_id)
    except Forbidden:
        return False
    return True


def test_every_row_of_agentos_is_a_row_here():
    for row, scopes in agentos().get_default_scope_mappings().items():
        method, path = row.split(" ")
        assert [operation(method, path).scope] == scopes, row


def test_every_operation_of_the_api_has_a_row():
    operations = [(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]
    open_paths = {"/", "/health", "/info"}
    demanded = {each: operation(*each) for each in operations if each[1] not in open_paths}
    assert len(demanded) > 20
    assert all(each.scope or each.action for each in demanded.values())


def test_every_operation_that_is_not_served_has_a_row():
    for path, methods in NOT_SERVED.items():
        for method in methods:
            demanded = operation(method, path)
            assert demanded.scope or demanded.action, (method, path)


def test_a_route_without_a_row_cannot_be_made():
    with pytest.raises(UnknownOperation, match="GET /secrets"):
        TypedRoute("/secrets", lambda: None, methods=["GET"])
    with pytest.raises(UnknownOperation):
        TypedRoute("/agents/{agent_id}/secrets", lambda: None, methods=["POST"])


def test_every_action_of_the_websocket_has_a_row_unless_it_is_about_no_workflow():
    assert set(actions._ACTIONS) - {"ping"} == set(WORKFLOW_ACTIONS)


RESOURCES = ("agents", "teams", "workflows", "sessions", "config", "system", "agent_os", "*", "")
IDS = ("web", "other", "*", "")
ACTIONS = ("read", "run", "write", "delete", "admin", "*", "")
ROUTES = (
    ("GET", "/agents/{agent_id}"),
    ("POST", "/agents/{agent_id}/runs"),
    ("GET", "/agents/{agent_id}/runs/{run_id}"),
    ("POST", "/teams/{team_id}/runs/{run_id}/cancel"),
    ("POST", "/workflows/{workflow_id}/runs/{run_id}/resume"),
    ("GET", "/config"),
    ("PATCH", "/sessions/{session_id}"),
)


def some_scopes(chance: random.Random) -> list[str]:
    def one() -> str:
        parts = [
            chance.choice(RESOURCES),
            *([chance.choice(IDS)] if chance.random() < 0.5 else []),
            chance.choice(ACTIONS),
        ]
        return ":".join(parts)

    return [one() for _ in range(chance.randrange(5))] + ([ADMIN] if chance.random() < 0.05 else [])


def expected(scopes: list[str], method: str, path: str) -> bool:
    """Both checks of AgentOS: of the route, then of the component."""
    module, concrete = agentos(), path
    for name in ("agent_id", "team_id", "workflow_id"):
        concrete = concrete.replace(f"{{{name}}}", "web")
    concrete = concrete.replace("{run_id}", "r").replace("{session_id}", "s")
    mappings = module.get_default_scope_mappings()
    resource, component_id = module.get_resource_context_from_path(concrete)
    action = "run" if "/runs" in path else "read"
    component = [f"{resource}:{action}"] if resource else []
    return bool(
        module.check_route_scopes(scopes, mappings, method, concrete).allowed
        and module.has_required_scopes(scopes, component, resource_type=resource, resource_id=component_id)
    )


def test_scopes_grant_what_they_grant_in_agentos():
    chance, seen = random.Random(7), {True: 0, False: 0}  # noqa: S311
    for _ in range(1_500):
        scopes, (method, path) = some_scopes(chance), chance.choice(ROUTES)
        granted = allowed(user(*scopes), method, path, "web" if "{" in path and "session" not in path else None)
        # An empty id counts for all components in AgentOS: here it is no scope.
        assert granted == expected([each for each in scopes if "::" not in each], method, path), (scopes, method, path)
        seen[granted] += 1
    assert min(seen.values()) > 100


@pytest.mark.parametrize(
    "scope", ["*", "agents:*", "agents", "agents::run", ":run", "agents:run:", "a:b:c:d", "AGENTS:RUN"]
)
def test_what_is_no_scope_grants_nothing(scope):
    assert not allowed(user(scope), "POST", "/agents/{agent_id}/runs", "web")


@pytest.mark.parametrize("principal", [KEY_HOLDER, NOBODY, user(ADMIN)])
def test_some_may_do_everything(principal):
    assert all(allowed(principal, method, path, "web") for method, path in ROUTES)


def test_a_list_is_that_of_the_components_that_may_be_read():
    reader = user("agents:web:read", "teams:*:read", "workflows:letter:run")
    assert [allowed(reader, "GET", f"/{kind.plural}") for kind in Kind] == [True, True, False]
    assert [may_see(reader, Kind.AGENT, each) for each in ("web", "other")] == [True, False]
    assert may_see(reader, Kind.TEAM, "any")
    with pytest.raises(Forbidden, match=r"Insufficient permissions. Required scope\(s\): workflows:read"):
        demand(reader, operation("GET", "/workflows"), None)


def test_refusals_are_agentos_sentences():
    reader = user("agents:read")
    with pytest.raises(Forbidden, match=r"^Insufficient permissions. Required scope\(s\): agents:run$"):
        demand(reader, operation("POST", "/agents/{agent_id}/runs"), "web")
    with pytest.raises(Forbidden, match=r"^Access denied to run this agent$"):
        demand(reader, operation("GET", "/agents/{agent_id}/runs/{run_id}"), "web")
    with pytest.raises(Forbidden, match=r"^Insufficient permissions to reconnect to this workflow$"):
        demand_workflow(reader, "reconnect", "letter")


@pytest.mark.parametrize("named", [None, "", 7, "other"])
def test_a_scope_for_one_workflow_is_none_for_a_message_that_does_not_name_it(named):
    runner = user("workflows:letter:run")
    demand_workflow(runner, "start-workflow", "letter")
    with pytest.raises(Forbidden):
        demand_workflow(runner, "start-workflow", named)


def test_the_operations_of_a_component_are_checked_twice():
    assert operation("GET", "/agents/{agent_id}") == Operation("agents:read", Kind.AGENT, "read")
    assert operation("GET", "/teams/{team_id}/runs") == Operation("teams:read", Kind.TEAM, "run")
    assert operation("POST", "/workflows/{workflow_id}/runs/{run_id}/resume") == Operation(None, Kind.WORKFLOW, "run")
    assert operation("GET", "/sessions/{session_id}/runs") == Operation("sessions:read")
    assert operation("GET", "/agents") == Operation("agents:read", lists=Kind.AGENT)
