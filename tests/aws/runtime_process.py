"""Our runtime as a process, as the wrapper starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process import PACKAGE

TASKS = Path(__file__).parent / "tasks"
STREAMS = Path(__file__).parent / "streams"


@contextmanager
def runtime(
    address: str, handler: str = "app.handler", task: Path = TASKS, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs it over a Runtime API at ``address``, with a handler in the folder ``task``."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PACKAGE),
        "AWS_LAMBDA_RUNTIME_API": address,
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": handler,
        **variables,
    }
    command = [sys.executable, "-m", "agentos_lambda.aws.runtime"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, cwd=task) as process:
        try:
            yield process
        finally:
            process.kill()
