"""What ``make run`` starts, as processes that the tests reach by HTTP only, and the local cloud behind it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import boto3
import httpx
import pytest

from agentos_lambda.protocol.values import Kind
from tests.local.conftest import ROOT, StackProcess, free_port

HERE = Path(__file__).parent
SAMPLE = {Kind.AGENT: "assistant", Kind.TEAM: "newsroom", Kind.WORKFLOW: "letter"}
PATHS = {kind: f"/{kind.plural}/{component}/runs" for kind, component in SAMPLE.items()}
"""Where a component of each kind is run."""

KEY = "the tests' own key"


@contextmanager
def silent_server() -> Iterator[str]:
    """The URL of a server that takes requests and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def running_stack(state: Path, **variables: str) -> Iterator[StackProcess]:
    port = free_port()
    own = {"OS_SECURITY_KEY", "LOG_LEVEL", "AGENTOS_MODEL"}
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    process = subprocess.Popen(
        [sys.executable, str(HERE / "serve.py"), str(port), str(state), str(HERE / "components.py")],
        env={**inherited, "PYTHONPATH": f"{ROOT / 'layers' / 'agentos_lambda'}:{ROOT}", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = StackProcess(process, port)
    try:
        stack.until_ready()
        yield stack
    finally:
        with contextlib.suppress(ProcessLookupError):
            stack.end()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """One stack for all tests; each uses ids of its own. It takes everybody in: no key is set."""
    state = tmp_path_factory.mktemp("contract") / "state"
    with silent_server() as silent, running_stack(state, SILENT_SERVER=silent) as process:
        yield process


@pytest.fixture(scope="session")
def client(stack: StackProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


_numbers = count(1)


@pytest.fixture
def fresh_id(request: pytest.FixtureRequest) -> str:
    """An id that no other test uses."""
    return f"id-{next(_numbers)}-{os.getpid()}"


@dataclass
class LocalCloud:
    """The tables behind a stack, read past the API."""

    dynamodb: object
    tables: list[str]

    def keys(self) -> set[str]:
        """The keys of all items of all tables, as soon as no run of an earlier test is under way any more."""
        deadline = time.monotonic() + 30
        while self._active() and time.monotonic() < deadline:
            time.sleep(0.1)
        found = set()
        for table in self.tables:
            schema = self.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
            names = [key["AttributeName"] for key in schema]
            for page in self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
                found |= {json.dumps([table, *(item[name] for name in names)]) for item in page["Items"]}
        return found

    def _active(self) -> bool:
        [table] = [name for name in self.tables if name.startswith("Runs")]
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return any("active_shard" in item for page in pages for item in page["Items"])

    def record(self, run_id: str) -> dict[str, dict[str, str]]:
        """The record of a run, as its attributes lie in the table."""
        key = {"run_id": {"S": run_id}, "item": {"S": "RECORD"}}
        [table] = [name for name in self.tables if name.startswith("Runs")]
        return self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]


@pytest.fixture(scope="session")
def cloud(client: httpx.Client) -> LocalCloud:
    def variable(name: str) -> str:
        body = {"message": f'call environment {{"name": "{name}"}}'}
        return client.post("/agents/probe/runs", json=body).json()["content"].removeprefix("environment gave: ")

    tables = [variable(name) for name in ("RUNS_TABLE", "SESSIONS_TABLE", "EVENTS_TABLE")]
    session = boto3.Session("local", "local", region_name="us-east-1")
    return LocalCloud(session.client("dynamodb", endpoint_url=variable("AWS_ENDPOINT_URL")), tables)


def until(condition: object, seconds: float = 20) -> object:
    """The first true value of a condition of other processes; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def events_of(lines: Iterator[str]) -> Iterator[dict[str, object]]:
    """The events of a stream of server-sent events, as they come."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
