"""The clients that a store makes for itself."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from botocore.exceptions import ClientError

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
        for service in ("dynamodb", "s3", "sqs", "secretsmanager"):
            assert getattr(clients, service) is getattr(clients, service)
        assert clients.management_api("https://127.0.0.1") is clients.management_api("https://127.0.0.1")
        assert ministack_aws.tables.runs in clients.dynamodb.list_tables()["TableNames"]
        buckets = clients.s3.list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in buckets] == [ministack_aws.tables.bucket]
    finally:
        clients.close()


@pytest.mark.usefixtures("environment")
def test_threads_that_ask_for_a_client_at_once_get_the_same():
    clients, together = Clients(), Barrier(8)

    def ask(_place):
        together.wait()
        return clients.sqs

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    clients.close()


@pytest.mark.usefixtures("environment")
def test_no_request_waits_for_long():
    clients = Clients()
    for client in (clients.dynamodb, clients.s3, clients.sqs, clients.secretsmanager):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 3)
    assert clients.management_api("https://127.0.0.1").meta.config.read_timeout == 5
    clients.close()


@pytest.mark.usefixtures("environment")
def test_a_service_has_the_same_settings_whether_its_client_is_prepared_or_asked_for():
    prepared, asked = Clients().prepare("dynamodb", "s3"), Clients()
    for clients in (prepared, asked):
        with pytest.raises(ClientError):  # DynamoDB's own, not botocore's
            clients.dynamodb.get_item()
        assert clients.s3.meta.config.signature_version == "s3v4"
        clients.close()


@pytest.mark.usefixtures("environment")
def test_aws_is_told_who_asks(ministack_aws):
    clients, told = Clients(), []
    clients.dynamodb.meta.events.register(
        "before-send.dynamodb", lambda request, **_: told.append(request.headers["User-Agent"])
    )
    clients.dynamodb.describe_table(TableName=ministack_aws.tables.runs)
    clients.close()
    [name] = told
    assert re.fullmatch(rb"Boto3/[\d.]+ agentos-lambda/[\d.]+ Botocore/[\d.]+", name)
