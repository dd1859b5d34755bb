"""The functions as they are deployed, in this process, over an AWS of moto's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.cloud import REGION, tables_of
from tests.manifest import COMPONENTS
from tests.tables import create_tables


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, manifest: Path) -> Iterator[Any]:
    """The environment variables of the functions, and a DynamoDB client to look at what they left."""
    tables = tables_of("functions")
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "RUNS_TABLE": tables.runs,
        "SESSIONS_TABLE": tables.sessions,
        "EVENTS_TABLE": tables.events,
        "MEMORIES_TABLE": tables.memories,
        "BUCKET": tables.bucket,
        "AGENTOS_MANIFEST": str(manifest),
        "AGENTOS_COMPONENTS": str(COMPONENTS / "components.py"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        sqs = boto3.client("sqs")
        create_tables(dynamodb, boto3.client("s3"), tables)
        monkeypatch.setenv("RUNS_QUEUE_URL", sqs.create_queue(QueueName="runs")["QueueUrl"])
        yield dynamodb
