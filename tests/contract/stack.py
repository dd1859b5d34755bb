"""What ``make run`` starts, as a process that the tests reach by HTTP only, and the local cloud behind it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from agentos_lambda.protocol.values import Kind
from tests.local_stack import StackProcess, running_stack
from tests.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SAMPLE = {Kind.AGENT: "assistant", Kind.TEAM: "newsroom", Kind.WORKFLOW: "letter"}
PATHS = {kind: f"/{kind.plural}/{component}/runs" for kind, component in SAMPLE.items()}
"""Where a component of each kind is run."""

_COMPONENTS = Path(__file__).parent / "components.py"


@contextmanager
def silent_server() -> Iterator[str]:
    """The URL of a server that takes requests and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def contract_stack(state: Path, variables: dict[str, str]) -> AbstractContextManager[StackProcess]:
    """A stack over the samples and the tests' own components."""
    return running_stack(state, variables, components=_COMPONENTS)


@dataclass
class LocalCloud:
    """The tables behind a stack, read past the API."""

    dynamodb: DynamoDBClient
    tables: list[str]

    def keys(self) -> set[str]:
        """The keys of all items of all tables, as soon as no run of an earlier test is under way any more."""
        until(lambda: not self._active(), 30)
        return {
            json.dumps([table, *(item[name] for name in names)])
            for table, names in self._key_names.items()
            for item in self._items(table, *names)
        }

    def record(self, run_id: str) -> dict[str, Any]:
        """The record of a run, as its attributes lie in the table."""
        key = {"run_id": {"S": run_id}, "item": {"S": "RECORD"}}
        return dict(self.dynamodb.get_item(TableName=self._runs, Key=key, ConsistentRead=True)["Item"])

    def _active(self) -> bool:
        return any(self._items(self._runs, "due_shard"))

    def _items(self, table: str, *attributes: str) -> Iterator[dict[str, Any]]:
        """All items of a table, with no more than these attributes: reading the others takes long."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=table,
            ConsistentRead=True,
            ProjectionExpression=", ".join(f"#{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
        )
        for page in pages:
            yield from page["Items"]

    @cached_property
    def _key_names(self) -> dict[str, list[str]]:
        """By table."""
        return {
            table: [key["AttributeName"] for key in self.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
            for table in self.tables
        }

    @property
    def _runs(self) -> str:
        [table] = [name for name in self.tables if name.startswith("Runs")]
        return table


def cloud_behind(client: httpx.Client) -> LocalCloud:
    """What one of the stack's own components knows about its cloud."""

    def variable(name: str) -> str:
        body = {"message": f'call environment {{"name": "{name}"}}'}
        content: str = client.post("/agents/probe/runs", json=body).json()["content"]
        return content.removeprefix("environment gave: ")

    tables = [variable(name) for name in ("RUNS_TABLE", "SESSIONS_TABLE", "EVENTS_TABLE")]
    session = boto3.Session("local", "local", region_name="us-east-1")
    return LocalCloud(session.client("dynamodb", endpoint_url=variable("AWS_ENDPOINT_URL")), tables)


def events_of(lines: Iterator[str]) -> Iterator[dict[str, object]]:
    """The events of a stream of server-sent events, as they come."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
