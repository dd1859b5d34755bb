"""Every environment that executes runs hangs; reads and cancels do not wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.behind_runs import all_environments_hang, assert_cancelled_in_time, assert_lists_and_reads_answer
from tests.e2e.deployment import WORKER_SECONDS, Deployment
from tests.stack.translation import RUNNING

pytestmark = pytest.mark.build

HANG_SECONDS = 900
"""How long a run may hang in the worker."""


@pytest.fixture
def one_environment_each(deployment: Deployment) -> Iterator[None]:
    """For the functions that execute runs. A hundred cancels take longer than a worker has in the other tests."""
    functions = deployment.client("lambda")
    names = [deployment.physical(function) for function in RUNNING]
    worker = deployment.physical("WorkerFunction")
    functions.update_function_configuration(FunctionName=worker, Timeout=HANG_SECONDS)
    for name in names:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    yield
    functions.update_function_configuration(FunctionName=worker, Timeout=WORKER_SECONDS)
    for name in names:
        functions.delete_function_concurrency(FunctionName=name)


@pytest.mark.usefixtures("one_environment_each")
def test_a_hundred_cancels_are_answered_while_every_environment_of_the_run_functions_hangs(api: httpx.Client) -> None:
    with all_environments_hang(api, runs=100) as paths:
        assert_lists_and_reads_answer(api, paths[-1])
        assert_cancelled_in_time(api, paths)
