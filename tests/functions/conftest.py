"""The functions as they are deployed, in this process, over an AWS of moto's."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from agentos_lambda.engine.components.build_manifest import main as build_manifest
from tests.cloud import REGION, create_tables, tables_of

ROOT = Path(__file__).parents[2]
COMPONENTS = ROOT / "layers/components/components.py"


class Context:
    """What Lambda tells a handler."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manifest") / "manifest.json"
    assert build_manifest(["--components", str(COMPONENTS), "-o", str(path)]) == 0
    return path


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
        "BUCKET": tables.bucket,
        "AGENTOS_MANIFEST": str(manifest),
        "AGENTOS_COMPONENTS": str(COMPONENTS),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        sqs = boto3.client("sqs")
        create_tables(dynamodb, boto3.client("s3"), tables)
        monkeypatch.setenv("RUNS_QUEUE_URL", sqs.create_queue(QueueName="runs")["QueueUrl"])
        yield dynamodb


def load_handler(function: str) -> Callable[[Any, Any], Any]:
    """The handler of a function, loaded as Lambda loads it: anew for each environment."""
    spec = importlib.util.spec_from_file_location(f"app_{function}", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.pop(spec.name, None)
    spec.loader.exec_module(module)
    return module.handler


def sample_event(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())
