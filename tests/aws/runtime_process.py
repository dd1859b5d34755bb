"""Our runtime as a process, as the wrapper starts it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
TASKS = Path(__file__).parent / "tasks"
STREAMS = Path(__file__).parent / "streams"


@contextmanager
def runtime(address, handler="app.handler", task=TASKS, **variables):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "layers" / "agentos_lambda"),
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
