"""The stack, deployed again with the issuer and the audience of a user pool: users by tokens, the key beside them.

The key goes on working, so tests that come later need no other deployment.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e import emulator
from tests.e2e.client import client_of
from tests.e2e.deployment import Deployment
from tests.identity.cognito import pool_of
from tests.local.websocket_client import Client
from tests.waiting import until

pytestmark = pytest.mark.build

SCOPES = ("agents:read", "agents:run", "workflows:run")
RUNS = "/agents/assistant/runs"


@pytest.fixture(scope="module")
def tokens(deployment: Deployment) -> dict[str, str]:
    pool = pool_of(deployment.client("cognito-idp"), deployment.cloud, *SCOPES)
    deployment.update(
        JwtIssuer=pool.variables["JWT_ISSUER"],
        JwtAudience=pool.variables["JWT_AUDIENCE"],
        JwtAudienceClaim=pool.variables["JWT_AUDIENCE_CLAIM"],
        JwtScopesClaim=pool.variables["JWT_SCOPES_CLAIM"],
        AuthMode="both",
    )
    zoe, yan, stranger = (pool.signed_up(*user) for user in (("zoe", *SCOPES), ("yan", *SCOPES), ("stranger",)))
    return {
        "zoe": zoe["AccessToken"],
        "yan": yan["AccessToken"],
        "stranger": stranger["AccessToken"],
        "an ID token": zoe["IdToken"],
        "a guess": "guess",
    }


@pytest.fixture
def clients(deployment: Deployment, tokens: dict[str, str]) -> Iterator[dict[str, httpx.Client]]:
    made = {name: client_of(deployment.url, token) for name, token in tokens.items()}
    yield made
    for client in made.values():
        client.close()


def test_a_token_of_the_pool_runs_what_no_other_user_sees(deployment, api, clients, tokens):
    info = api.get("/info").json()
    assert (info["auth_mode"], info["user_isolation"]) == ("jwt", True)
    refused = {"stranger": 403, "an ID token": 401, "a guess": 401}
    assert {name: clients[name].post(RUNS, json={"message": "Hello"}).status_code for name in refused} == refused
    run = clients["zoe"].post(RUNS, json={"message": "Hello", "user_id": "yan"}).json()
    statuses = {name: client.get(f"{RUNS}/{run['run_id']}").status_code for name, client in clients.items()}
    assert statuses == {"zoe": 200, "yan": 404, **refused}
    assert api.get(f"{RUNS}/{run['run_id']}").json()["status"] == "COMPLETED"
    logged = until(lambda: audited(deployment))
    assert not [message for message in logged if any(token in message for token in tokens.values() if "." in token)]


def audited(deployment: Deployment) -> list[str]:
    """All that was logged, once it has a refusal; it comes a little later. The local cloud logs warnings alone."""
    logged = [message for _, message in deployment.log()]
    return logged if any("audit: refused" in message for message in logged) else []


def test_a_token_of_the_pool_authenticates_a_connection(deployment, tokens):
    url = emulator.websocket_url(deployment.cloud, deployment.outputs["WebSocketUrl"])
    with Client(url) as socket:
        assert socket.ask(action="authenticate", token=tokens["an ID token"])["event"] == "auth_error"
    with Client(url, tokens["zoe"]) as socket:
        assert socket.receive()["message"] == "JWT authentication successful."
        socket.send(action="start-workflow", workflow_id="letter", message="hi")
        assert socket.until("WorkflowCompleted")[-1]["event"] == "WorkflowCompleted"
