"""What a deployed API tells of itself, and to whom."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.build


@pytest.mark.parametrize("path", ["/", "/health", "/info", "/docs", "/redoc", "/openapi.json"])
def test_what_is_open_needs_no_key(stranger, path):
    assert stranger.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/config", "/models", "/agents", "/teams", "/workflows"])
def test_all_else_needs_the_key(stranger, api, path):
    refused = stranger.get(path)
    assert (refused.status_code, refused.json()) == (
        401,
        {"detail": "Authorization header required", "error_code": "UNAUTHORIZED"},
    )
    wrong = stranger.get(path, headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["detail"]) == (401, "Invalid authentication token")
    assert api.get(path).status_code == 200


def test_the_config_tells_of_the_components_that_were_deployed(api):
    config = api.get("/config").json()
    for kind, component in {"agents": "assistant", "teams": "newsroom", "workflows": "letter"}.items():
        listed = [each["id"] for each in api.get(f"/{kind}").json()]
        assert component in listed
        assert [each["id"] for each in config[kind]] == listed


@pytest.mark.parametrize("path", ["/config", "/agents/assistant/runs"])
def test_a_preflight_of_a_known_page_is_answered_without_a_key(stranger, path):
    asked = {"Origin": "https://os.agno.com", "Access-Control-Request-Method": "POST"}
    answer = stranger.options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://os.agno.com"


def test_the_cloud_enforces_policies(deployment):
    """Else nothing here would tell that the functions may do what they have to."""
    iam = deployment.client("iam")
    iam.create_user(UserName="nobody")
    made = iam.create_access_key(UserName="nobody")["AccessKey"]
    dynamodb = deployment.client(
        "dynamodb", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"]
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(
            TableName=deployment.outputs["RunsTableName"], Key={"run_id": {"S": "x"}, "item": {"S": "RECORD"}}
        )
