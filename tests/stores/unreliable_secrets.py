"""Secrets Manager, which can be reached until a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws


class UnreliableSecrets:
    """moto's client, as long as it is ``reachable``. Counts the reads."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.reachable = True
        self.reads = 0

    def get_secret_value(self, **request: str) -> object:
        self.reads += 1
        if not self.reachable:
            raise EndpointConnectionError(endpoint_url="https://secretsmanager.invalid")
        return self.client.get_secret_value(**request)


@contextmanager
def unreliable_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[UnreliableSecrets]:
    """Secrets Manager without any secret."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield UnreliableSecrets(boto3.client("secretsmanager", region_name="eu-west-1"))
