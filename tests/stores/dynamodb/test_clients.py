"""The clients that a store makes for itself."""

from __future__ import annotations

import pytest

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from tests.cloud import REGION, tables_of


@pytest.fixture
def environment(ministack_aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack_aws.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ministack_aws.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-checked")


def test_a_store_makes_no_client_before_its_first_request(monkeypatch):
    class ClientWantedError(Exception):
        pass

    def refuse():
        raise ClientWantedError

    monkeypatch.setattr("boto3.session.Session", refuse)
    store = DynamoDBStore(tables_of("1"))
    with pytest.raises(ClientWantedError):
        store.get("run-1")


@pytest.mark.usefixtures("environment")
def test_clients_are_made_once_from_the_environment(ministack_aws):
    clients = Clients()
    try:
        assert clients.dynamodb is clients.dynamodb
        assert clients.s3 is clients.s3
        assert ministack_aws.tables.runs in clients.dynamodb.list_tables()["TableNames"]
        buckets = clients.s3.list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in buckets] == [ministack_aws.tables.bucket]
    finally:
        clients.dynamodb.close()
        clients.s3.close()


@pytest.mark.usefixtures("environment")
def test_no_request_waits_for_long():
    clients = Clients()
    for client in (clients.dynamodb, clients.s3):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 5)
        assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
