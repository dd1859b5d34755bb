"""A local AWS for tests: ministack as a process of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agentos_lambda.stores.dynamodb import Tables
from tests.process import ROOT, free_port
from tests.waiting import until

REGION = "us-east-1"
CONNECTIONS = "Connections"

_PYTHON = ROOT / ".venvs/cloud/bin/python"
_MINISTACK = Path(__file__).with_name("copying_ministack.py")
_COPY = "/_tests/copy"
_START_SECONDS = 120


@contextmanager
def ministack(**variables: str) -> Iterator[str]:
    """Runs ministack and gives its URL. A 12-digit access key is a tenant of its own.

    ``variables`` are environment variables, such as ``AUTH="true"`` to have it enforce the policies of roles.
    """
    if not _PYTHON.exists():
        raise RuntimeError("There is no local cloud: run `make .venvs/cloud/.ready` first.")
    port = free_port()
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
        command = (_PYTHON, "-P", _MINISTACK)  # without the folder of the tests among what it imports
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_healthy(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def tenant() -> str:
    """An access key that makes an empty account of its own, whose number it is.

    Not of ``random``: hypothesis seeds that, so each of its examples would get the same account.
    """
    return f"{secrets.randbelow(10**12):012d}"


def copy_of(account: str, url: str) -> str:
    """A new account of the local cloud with the tables that this one has, which are empty."""
    new = tenant()
    with urllib.request.urlopen(f"{url}{_COPY}/{account}/{new}"):  # noqa: S310 - always http
        return new


def tables_of(account: str) -> Tables:
    """The names in an account; those of buckets are shared by all accounts."""
    return Tables(
        runs="Runs", sessions="Sessions", events="RunEvents", bucket=f"large-values-{account}", memories="Memories"
    )


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    def healthy() -> bool:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"The local cloud has ended:\n{log.read().decode(errors='replace')}")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):  # noqa: S310 - always http
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    until(healthy, _START_SECONDS)
