from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from boto3.session import Session
from botocore.config import Config
from moto import mock_aws

from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.memory import MemoryStore
from agentos_lambda.stores.retries import TRIES, Retries
from tests.clocks import ManualClock
from tests.cloud import REGION, create_tables, ministack, tables_of
from tests.stores.builders import NOW

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

    def store(self, clock=None, *, tries=TRIES, events_ttl_seconds=EVENTS_TTL_SECONDS, **clients) -> DynamoDBStore:
        """A store with these ``clients`` in place of the account's, which never sleeps."""
        clock = clock or ManualClock(NOW)
        return DynamoDBStore(
            self.tables,
            events_ttl_seconds=events_ttl_seconds,
            clients=self._clients(clients),
            retries=_sleepless(clock, tries),
            clock=clock,
        )

    def table(self, name, **clients) -> Table:
        """One table, for a store that has it to itself."""
        return Table(name, Requests(self._clients(clients), _sleepless(ManualClock(NOW), TRIES)))

    def _clients(self, others) -> Clients:
        return Clients(**{"dynamodb": self.dynamodb, "s3": self.s3, **others})


def _sleepless(clock, tries) -> Retries:
    return Retries(clock, tries=tries, sleep=lambda _seconds: None)


@pytest.fixture(scope="session")
def cloud_url() -> Iterator[str]:
    with ministack() as url:
        yield url


@pytest.fixture(scope="session")
def boto_session() -> Session:
    return Session(region_name=REGION)


@contextmanager
def _account(session: Session, url: str | None) -> Iterator[Aws]:
    account = f"{random.randrange(10**12):012d}"  # noqa: S311 - a tenant's name
    with ExitStack() as stack:

        def client(service: str) -> Any:
            made = session.client(
                service,
                endpoint_url=url,
                aws_access_key_id=account,
                aws_secret_access_key="not-checked",
                config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 1}),
            )
            stack.callback(made.close)
            return made

        aws = Aws(client("dynamodb"), client("s3"), url, account)
        create_tables(aws.dynamodb, aws.s3, aws.tables)
        yield aws


@pytest.fixture
def ministack_aws(boto_session: Session, cloud_url: str) -> Iterator[Aws]:
    with _account(boto_session, cloud_url) as aws:
        yield aws


@pytest.fixture
def moto_aws(boto_session: Session) -> Iterator[Aws]:
    with mock_aws(), _account(boto_session, None) as aws:
        yield aws


@pytest.fixture(params=["moto", "ministack"])
def aws(request: pytest.FixtureRequest) -> Aws:
    return request.getfixturevalue(f"{request.param}_aws")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=["memory", "moto", "ministack"])
def store(request: pytest.FixtureRequest, clock: ManualClock) -> Store:
    if request.param == "memory":
        return MemoryStore(events_ttl_seconds=EVENTS_TTL_SECONDS, clock=clock)
    return request.getfixturevalue(f"{request.param}_aws").store(clock)
