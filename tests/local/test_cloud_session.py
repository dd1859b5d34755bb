"""Clients of the local cloud are not led astray by what the user has set up for AWS."""

from __future__ import annotations

import re

import pytest

from local.account import CREDENTIAL, REGION
from local.cloud.session import CloudClients, cloud_session
from local.settings import ROOT

URL = "http://127.0.0.1:1"


@pytest.fixture(
    params=[
        {"AWS_PROFILE": "a-profile-that-is-not-there"},
        {"AWS_DEFAULT_PROFILE": "a-profile-that-is-not-there"},
        {"AWS_CONFIG_FILE": "broken"},
        {"AWS_SHARED_CREDENTIALS_FILE": "broken"},
        {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"},
        {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_SESSION_TOKEN": "mine"},
    ],
    ids=lambda variables: next(reversed(variables)),
)
def users_own(request, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.write_text("[profile")
    for name, value in request.param.items():
        monkeypatch.setenv(name, str(broken) if value == "broken" else value)


@pytest.fixture
def clients():
    clients = CloudClients(URL)
    yield clients
    clients.close()


@pytest.mark.usefixtures("users_own")
def test_the_users_own_settings_do_not_matter(clients):
    signed = cloud_session().get_credentials().get_frozen_credentials()
    assert (signed.access_key, signed.secret_key, signed.token) == (CREDENTIAL, CREDENTIAL, None)
    sent = []
    client = clients.sqs
    client.meta.events.register("before-send", lambda request, **_: sent.append(request) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.list_queues()
    assert (client.meta.endpoint_url, client.meta.region_name) == (URL, REGION)
    assert re.search(rf"Credential={CREDENTIAL}/\d+/{REGION}/sqs/", sent[0].headers["Authorization"].decode())
    assert "X-Amz-Security-Token" not in sent[0].headers


def test_a_client_is_made_once(clients):
    assert clients.dynamodb is clients.dynamodb
    assert clients.secrets.meta.endpoint_url == clients.s3.meta.endpoint_url == URL


def test_no_other_program_of_local_makes_clients():
    programs = {
        path for path in (ROOT / "local").rglob("*.py") if re.search(r"\bboto3\.|import boto3", path.read_text())
    }
    assert programs == {ROOT / "local/cloud/session.py"}
