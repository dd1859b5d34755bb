"""Clients of the local cloud are not led astray by what the user has set up for AWS."""

from __future__ import annotations

import pytest

from local.cloud.session import ONCE, cloud_session


@pytest.fixture(
    params=[
        {"AWS_PROFILE": "a-profile-that-is-not-there"},
        {"AWS_DEFAULT_PROFILE": "a-profile-that-is-not-there"},
        {"AWS_CONFIG_FILE": "broken"},
        {"AWS_SHARED_CREDENTIALS_FILE": "broken"},
        {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def users_own(request, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.write_text("[profile")
    for name, value in request.param.items():
        monkeypatch.setenv(name, str(broken) if value == "broken" else value)


def test_the_users_own_settings_do_not_matter(users_own):
    client = cloud_session().client("sqs", endpoint_url="http://127.0.0.1:1", config=ONCE)
    signed = client._request_signer._credentials
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:1", "us-east-1")
    assert (signed.access_key, signed.secret_key, signed.token) == ("local", "local", None)
