"""A user pool of Cognito, that of the local cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boto3.session import Session

from tests.cloud import REGION

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


def new_pool(cloud_url: str, session: Session, *groups: str) -> Pool:
    """A pool with an app, and with groups."""
    cognito: Any = session.client(
        "cognito-idp", endpoint_url=cloud_url, aws_access_key_id=ACCOUNT, aws_secret_access_key="none"
    )
    return pool_of(cognito, cloud_url, *groups)


def pool_of(cognito: Any, cloud_url: str, *groups: str) -> Pool:
    """A pool that this client of Cognito makes, with an app, and with groups."""
    pool_id = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    app = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="app", ExplicitAuthFlows=flows)
    for group in groups:
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
    return Pool(cognito, cloud_url, pool_id, app["UserPoolClient"]["ClientId"])
