"""Clients of the local cloud, whatever the user's own AWS settings are."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from local.account import CREDENTIAL, REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_ONCE = Config(retries={"total_max_attempts": 1})
"""The local cloud is up or it is not: what fails there is not worth a second try."""

_NOT_THE_USERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Session variables without the environment variables that set them."""


def cloud_session() -> boto3.Session:
    """A session with the local account's region and credentials. It reads no profile and no file of the user's."""
    own = botocore.session.Session(session_vars=_NOT_THE_USERS)
    return boto3.Session(CREDENTIAL, CREDENTIAL, region_name=REGION, botocore_session=own)


class CloudClients:
    """The clients of one local cloud, each made when it is first asked for.

    Any thread may use a client, but only one at a time may ask for one: sessions of boto3 are not thread-safe.
    """

    def __init__(self, url: str) -> None:
        self._session = cloud_session()
        self._options: dict[str, Any] = {"endpoint_url": url, "config": _ONCE}
        self._made: list[Any] = []

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @cached_property
    def s3(self) -> S3Client:
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def secrets(self) -> Any:
        """Of Secrets Manager."""
        return self._client("secretsmanager")

    @cached_property
    def sqs(self) -> SQSClient:
        client: SQSClient = self._client("sqs")
        return client

    def close(self) -> None:
        """Close the connections of all clients."""
        for client in self._made:
            client.close()

    def _client(self, service: Any) -> Any:
        client = self._session.client(service, **self._options)
        self._made.append(client)
        return client
