"""The workers of a local stack: what they know, and the end of some of them."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping

from tests.local_stack import StackProcess

_WORKER = "WorkerFunction"


def kill_a_worker(stack: StackProcess, chance: random.Random) -> bool:
    """Kill an environment of the worker function, as a machine that fails would. False if there is none."""
    environments = stack.environments().items()
    workers = [pid for pid, variables in environments if variables.get("AWS_LAMBDA_FUNCTION_NAME") == _WORKER]
    if workers:
        os.kill(chance.choice(workers), signal.SIGKILL)
    return bool(workers)


def store_variables(stack: StackProcess) -> Mapping[str, str]:
    """The environment variables of a function that reaches the store and the queue of runs."""
    return next(
        variables
        for variables in stack.environments().values()
        if variables.keys() >= {"RUNS_TABLE", "SESSIONS_TABLE", "EVENTS_TABLE", "BUCKET", "RUNS_QUEUE_URL"}
    )
