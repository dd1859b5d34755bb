"""Cognito, that of the local cloud, as an issuer: sign up, token, run."""

from __future__ import annotations

import json

import httpx
import pytest

from agentos_lambda.aws.functions.authority import authority_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.errors import InvalidToken
from agentos_lambda.stores.clients import Clients
from tests.api.world import Api
from tests.cloud import REGION
from tests.identity.cognito import Pool, new_pool

pytestmark = pytest.mark.anyio


@pytest.fixture
def pool(cloud_url, boto_session, monkeypatch) -> Pool:
    made = new_pool(cloud_url, boto_session, "agents:run", "agents:read")
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


async def test_a_user_signs_up_gets_a_token_and_runs_an_agent(pool):
    tokens = pool.signed_up("zoe", "agents:run")
    api = Api()
    api.authority = authority_of(Settings.from_environment(), Clients())
    headers = {"Authorization": f"Bearer {tokens['AccessToken']}"}
    answer = await api.client.post("/agents/assistant/runs", json={"message": "hi"}, headers=headers)
    assert answer.status_code == 200
    user = pool.cognito.admin_get_user(UserPoolId=pool.pool_id, Username="zoe")
    [subject] = [each["Value"] for each in user["UserAttributes"] if each["Name"] == "sub"]
    assert api.world.store.get(answer.json()["run_id"]).user_id == subject
    listed = await api.client.get("/agents", headers=headers)
    assert listed.json()["detail"] == "Insufficient permissions. Required scope(s): agents:read"


def test_the_id_token_and_the_tokens_of_another_pool_are_refused(pool, monkeypatch):
    tokens = pool.signed_up("yan")
    authority = authority_of(Settings.from_environment(), Clients())
    assert authority.principal(tokens["AccessToken"]).isolated
    with pytest.raises(InvalidToken, match='missing the "client_id" claim'):
        authority.principal(tokens["IdToken"])
    monkeypatch.setenv("JWT_ISSUER", f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_other")
    with pytest.raises(InvalidToken, match="Invalid issuer"):
        authority_of(Settings.from_environment(), Clients()).principal(tokens["AccessToken"])


def test_the_keys_are_the_pools_own(pool):
    published = httpx.get(pool.variables["JWT_JWKS_URL"]).json()
    assert {key["kty"] for key in published["keys"]} == {"RSA"}
    assert json.dumps(published).count('"kid"') == 2
