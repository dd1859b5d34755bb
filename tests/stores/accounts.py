"""Empty AWS accounts with this project's tables: in the tests' local cloud, or in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.credentials import Credentials
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.dynamodb_json import send_as_it_is
from agentos_lambda.stores.retention import FOREVER, Retention
from agentos_lambda.stores.retries import TRIES, Retries
from tests.clocks import ManualClock
from tests.cloud import REGION, copy_of, tables_of, tenant
from tests.stores.builders import NOW
from tests.tables import create_tables

EVENTS_TTL_SECONDS = 3600


@dataclass
class Aws:
    """Clients of an empty account with this project's tables."""

    dynamodb: Any
    s3: Any
    url: str | None
    account: str

    @property
    def tables(self) -> Tables:
        return tables_of(self.account)

    def store(
        self,
        clock: ManualClock | None = None,
        *,
        tries: int = TRIES,
        events_ttl_seconds: int = EVENTS_TTL_SECONDS,
        retention: Retention = FOREVER,
        **clients: Any,
    ) -> DynamoDBStore:
        """A store with these ``clients`` in place of the account's, which never sleeps."""
        clock = clock or ManualClock(NOW)
        return DynamoDBStore(
            self.tables,
            events_ttl_seconds=events_ttl_seconds,
            retention=retention,
            clients=self._clients(clients),
            retries=_sleepless(clock, tries),
            clock=clock,
        )

    def table(self, name: str, **clients: Any) -> Table:
        """One table, for a store that has it to itself."""
        return Table(name, self.requests(**clients))

    def requests(self, **clients: Any) -> Requests:
        """What sends them, with these ``clients`` in place of the account's."""
        return Requests(self._clients(clients), _sleepless(ManualClock(NOW), TRIES))

    def _clients(self, others: dict[str, Any]) -> Clients:
        return Clients(**{"dynamodb": self.dynamodb, "s3": self.s3, **others})


def _sleepless(clock: ManualClock, tries: int) -> Retries:
    return Retries(clock, tries=tries, sleep=lambda _seconds: None)


def ministack_account(url: str) -> Aws:
    """A new tenant of the local cloud with this project's tables. It ends what was got before for the same URL."""
    clients = _clients(url)
    clients.credentials.access_key = account = copy_of(_first_account(url), url)
    aws = Aws(clients.dynamodb, clients.s3, url, account)
    aws.s3.create_bucket(Bucket=aws.tables.bucket)
    return aws


@contextmanager
def moto_account() -> Iterator[Aws]:
    """The account of moto's, empty, for one caller: conditional writes are not atomic between threads.

    Its tables stay for the next caller, unless another ``mock_aws()`` removes them.
    """
    mock = mock_aws(config={"core": {"mock_credentials": False}})  # callers have their own
    mock.start(reset=False)
    try:
        clients = _clients(None)
        aws = Aws(clients.dynamodb, clients.s3, None, clients.credentials.access_key)
        if _moto_tables():
            empty_moto(aws)
        else:
            create_tables(aws.dynamodb, aws.s3, aws.tables)
        yield aws
    finally:
        mock.stop(remove_data=False)


def empty_moto(aws: Aws) -> None:
    """Remove all that is in the tables and in the bucket of moto's account."""
    for table in _moto_tables().values():
        table.items.clear()
    for found in aws.s3.list_objects_v2(Bucket=aws.tables.bucket).get("Contents", ()):
        aws.s3.delete_object(Bucket=aws.tables.bucket, Key=found["Key"])


def _moto_tables() -> dict[str, Any]:
    tables: dict[str, Any] = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables
    return tables


@cache
def _first_account(url: str) -> str:
    """One that others are copies of."""
    clients = _clients(url)
    clients.credentials.access_key = account = tenant()
    create_tables(clients.dynamodb, clients.s3, tables_of(account))
    return account


@dataclass
class _Clients:
    credentials: Credentials
    dynamodb: Any
    s3: Any


@cache
def _clients(url: str | None) -> _Clients:
    """For all tests of a process: a client takes longer to make than most tests take."""
    session = Session(aws_access_key_id=tenant(), aws_secret_access_key="not-checked", region_name=REGION)
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 1})
    as_ours = config.merge(Config(parameter_validation=False))  # so that tests see what DynamoDB itself refuses
    dynamodb = session.client("dynamodb", endpoint_url=url, config=as_ours)
    send_as_it_is(dynamodb)
    s3 = session.client("s3", endpoint_url=url, config=config)
    credentials = session.get_credentials()
    assert credentials
    return _Clients(credentials, dynamodb, s3)
