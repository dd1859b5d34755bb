"""Cognito, that of the local cloud, as an issuer: sign up, token, run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from agentos_lambda.aws.functions.authority import authority_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.errors import InvalidToken
from tests.api.world import Api
from tests.cloud import REGION

pytestmark = pytest.mark.anyio

ACCOUNT = "000000000000"
"""Whose the requests are that nobody signs, as a user does not."""
PASSWORD = "Long-enough-1"


@dataclass
class Pool:
    """A user pool with one app, and the variables of a function that takes its tokens."""

    cognito: Any
    url: str
    pool_id: str
    client_id: str

    @property
    def variables(self) -> dict[str, str]:
        return {
            "JWT_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}",
            "JWT_JWKS_URL": f"{self.url}/{self.pool_id}/.well-known/jwks.json",
            "JWT_AUDIENCE": self.client_id,
            "JWT_AUDIENCE_CLAIM": "client_id",
            "JWT_SCOPES_CLAIM": "cognito:groups",
        }

    def signed_up(self, name: str, *scopes: str) -> dict[str, str]:
        """The tokens of a new user, by their kind. Its groups are named like scopes."""
        self.cognito.sign_up(ClientId=self.client_id, Username=name, Password=PASSWORD)
        self.cognito.admin_confirm_sign_up(UserPoolId=self.pool_id, Username=name)
        for scope in scopes:
            self.cognito.admin_add_user_to_group(UserPoolId=self.pool_id, Username=name, GroupName=scope)
        answer = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        tokens: dict[str, str] = answer["AuthenticationResult"]
        return tokens


@pytest.fixture
def pool(cloud_url, boto_session, monkeypatch) -> Pool:
    cognito = boto_session.client(
        "cognito-idp", endpoint_url=cloud_url, aws_access_key_id=ACCOUNT, aws_secret_access_key="none"
    )
    pool_id = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )
    for group in ("agents:run", "agents:read"):
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
    made = Pool(cognito, cloud_url, pool_id, app["UserPoolClient"]["ClientId"])
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    return made


async def test_a_user_signs_up_gets_a_token_and_runs_an_agent(pool):
    tokens = pool.signed_up("zoe", "agents:run")
    api = Api()
    api.authority = authority_of(Settings.from_environment())
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
    authority = authority_of(Settings.from_environment())
    assert authority.principal(tokens["AccessToken"]).isolated
    with pytest.raises(InvalidToken, match='missing the "client_id" claim'):
        authority.principal(tokens["IdToken"])
    monkeypatch.setenv("JWT_ISSUER", f"https://cognito-idp.{REGION}.amazonaws.com/{REGION}_other")
    with pytest.raises(InvalidToken, match="Invalid issuer"):
        authority_of(Settings.from_environment()).principal(tokens["AccessToken"])


def test_the_keys_are_the_pools_own(pool):
    published = httpx.get(pool.variables["JWT_JWKS_URL"]).json()
    assert {key["kty"] for key in published["keys"]} == {"RSA"}
    assert json.dumps(published).count('"kid"') == 2
