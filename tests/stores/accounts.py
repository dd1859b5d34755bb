"""Empty AWS accounts with this project's tables: in the tests' local cloud, or in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from boto3.session import Session
from botocore.config import Config
from moto import mock_aws

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore, Tables
from agentos_lambda.stores.dynamodb.requests import Requests
from agentos_lambda.stores.dynamodb.table import Table
from agentos_lambda.stores.retention import FOREVER, Retention
from agentos_lambda.stores.retries import TRIES, Retries
from tests.clocks import ManualClock
from tests.cloud import tables_of, tenant
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
        return Table(name, Requests(self._clients(clients), _sleepless(ManualClock(NOW), TRIES)))

    def _clients(self, others: dict[str, Any]) -> Clients:
        return Clients(**{"dynamodb": self.dynamodb, "s3": self.s3, **others})


def _sleepless(clock: ManualClock, tries: int) -> Retries:
    return Retries(clock, tries=tries, sleep=lambda _seconds: None)


@contextmanager
def _account(session: Any, url: str | None) -> Iterator[Aws]:
    account = tenant()
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


@contextmanager
def ministack_account(session: Session, cloud_url: str) -> Iterator[Aws]:
    """A tenant of the local cloud."""
    with _account(session, cloud_url) as aws:
        yield aws


@contextmanager
def moto_account(session: Session) -> Iterator[Aws]:
    """An account of moto's, for one caller: conditional writes are not atomic between threads."""
    with mock_aws(), _account(session, None) as aws:
        yield aws
