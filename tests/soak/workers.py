"""The workers of a local stack: what they know, and the end of some of them."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress

from tests.local_stack import StackProcess

_WORKER = "WorkerFunction"


def kill_a_worker(stack: StackProcess, chance: random.Random) -> bool:
    """Kill an environment of the worker function, as a machine that fails would. False if there is none."""
    workers = _workers(stack)
    if workers:
        os.kill(chance.choice(workers), signal.SIGKILL)
    return bool(workers)


def stop_all_workers(stack: StackProcess) -> list[int]:
    """Stop every environment of the worker function where it stands, and give their ids."""
    workers = _workers(stack)
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGSTOP)
    return workers


def kill(workers: Iterable[int]) -> None:
    """Kill these environments."""
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _workers(stack: StackProcess) -> list[int]:
    environments = stack.environments().items()
    return [pid for pid, variables in environments if variables.get("AWS_LAMBDA_FUNCTION_NAME") == _WORKER]


def store_variables(stack: StackProcess) -> Mapping[str, str]:
    """The environment variables of a function that reaches the store and the queue of runs."""
    return next(
        variables
        for variables in stack.environments().values()
        if variables.keys() >= {"RUNS_TABLE", "SESSIONS_TABLE", "EVENTS_TABLE", "BUCKET", "RUNS_QUEUE_URL"}
    )
