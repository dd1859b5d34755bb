"""The functions as they are deployed, in this process, over an AWS of moto's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from tests.cloud import REGION
from tests.manifest import COMPONENTS
from tests.stores.accounts import Aws


@pytest.fixture(scope="session")
def sqs() -> Any:
    return Session("testing", "testing", region_name=REGION).client("sqs")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, manifest: Path, moto_aws: Aws, sqs: Any) -> Aws:
    """The account that the environment variables of the functions lead to. Its queue is empty."""
    get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION].queues.clear()
    queue = sqs.create_queue(QueueName="runs")["QueueUrl"]
    tables = moto_aws.tables
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "RUNS_TABLE": tables.runs,
        "SESSIONS_TABLE": tables.sessions,
        "EVENTS_TABLE": tables.events,
        "MEMORIES_TABLE": tables.memories,
        "BUCKET": tables.bucket,
        "RUNS_QUEUE_URL": queue,
        "AGENTOS_MANIFEST": str(manifest),
        "AGENTOS_COMPONENTS": str(COMPONENTS / "components.py"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return moto_aws
