"""A local AWS for tests: ministack as a process of its own, and the tables of this project in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentos_lambda.stores.dynamodb import Tables

REGION = "us-east-1"
CONNECTIONS = "Connections"


_MINISTACK = Path(__file__).parent.parent / ".venvs" / "cloud" / "bin" / "ministack"
_START_SECONDS = 30


@contextmanager
def ministack(**variables: str) -> Iterator[str]:
    """Runs ministack and gives its URL. A 12-digit access key is a tenant of its own.

    ``variables`` are environment variables, such as ``AUTH="true"`` to have it enforce the policies of roles.
    """
    if not _MINISTACK.exists():
        raise RuntimeError("There is no local cloud: run `make .venvs/cloud/.ready` first.")
    port = _free_port()
    environment = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        **variables,
    }
    # It leaves a copy of each function that it runs among its temporary files.
    leftovers = tempfile.TemporaryDirectory(prefix="ministack-", ignore_cleanup_errors=True)
    with leftovers as temporary, tempfile.TemporaryFile() as log:
        environment["TMPDIR"] = temporary
        process = subprocess.Popen([_MINISTACK], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process)
            yield url
        except TimeoutError:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def tables_of(account: str) -> Tables:
    """The names in an account; those of buckets are shared by all accounts."""
    return Tables(runs="Runs", sessions="Sessions", events="RunEvents", bucket=f"large-values-{account}")


def create_tables(dynamodb, s3, tables: Tables) -> None:
    """The tables as the template makes them, and the bucket."""
    for name, range_key, indexes in (
        (tables.runs, "item", {"active": ("active_shard", "accepted_at")}),
        (tables.sessions, "item", {"by_component": ("component", "updated_at"), "by_user": ("user_id", "updated_at")}),
        (tables.events, "pack", {}),
    ):
        hash_key = "session_id" if name == tables.sessions else "run_id"
        texts = {hash_key, range_key, *(index[0] for index in indexes.values())}
        numbers = {index[1] for index in indexes.values()}
        definition = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _key_schema(hash_key, range_key),
            "AttributeDefinitions": [
                *({"AttributeName": attribute, "AttributeType": "S"} for attribute in sorted(texts)),
                *({"AttributeName": attribute, "AttributeType": "N"} for attribute in sorted(numbers)),
            ],
        }
        if indexes:
            definition["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": _key_schema(*keys),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for index, keys in indexes.items()
            ]
        dynamodb.create_table(**definition)
    dynamodb.create_table(
        TableName=CONNECTIONS,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "connection_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "connection_id", "AttributeType": "S"}],
    )
    s3.create_bucket(Bucket=tables.bucket)


def _key_schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):  # noqa: S310 - always http
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise TimeoutError("ministack did not start.")
