"""Processes that tests start: where the project is, what they import, and which other processes they have started."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "layers/agentos_lambda"
IMPORT_PATH = os.pathsep.join((str(PACKAGE), str(ROOT)))
"""``PYTHONPATH`` of a process that imports our package, the local stack and the tests."""

_FOREIGN = ("AGENTOS_", "AWS_", "JWT_", "MAKE", "MFLAGS", "OPENAI_", "PYTHON")
_STACK = frozenset(
    {
        *("CORS_ORIGINS", "EVENTS_TTL_SECONDS", "LOG_LEVEL", "OS_SECURITY_KEY", "QUEUE_LIMIT"),
        *("RUNS_RETENTION_DAYS", "SESSIONS_RETENTION_DAYS"),
    }
)
"""What a developer's shell may set for `make run`."""

_PORTS = range(10_000, 32_000)
"""Below those that Linux gives to whoever asks for any."""


def is_foreign(variable: str) -> bool:
    """Whether a variable of the environment may lead a test to an account, a key or an interpreter that is not its."""
    return variable in _STACK or variable.startswith(_FOREIGN)


def free_port() -> int:
    """A TCP port of the loopback address that nobody listened on a moment ago.

    It is none of those that the system gives away, to processes of other tests that ask for any.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def descendants(ancestor: int) -> set[int]:
    """The processes that a process started, and those that they did."""
    found, parents = set[int](), {ancestor}
    while parents:
        parents = {child for pid in parents for child in _children(pid)} - found
        found |= parents
    return found


def _children(pid: int) -> set[int]:
    found = set[int]()
    with suppress(OSError):  # the process has ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # the thread has
                found |= {int(child) for child in (thread / "children").read_text().split()}
    return found


def alive(pids: Iterable[int]) -> set[int]:
    """Those that have not ended."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def variables_of(pid: int) -> dict[str, str]:
    """The environment variables that a process was started with; none of one that has ended."""
    try:
        text = Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)
