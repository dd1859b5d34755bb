"""Every environment that executes runs hangs; reads and cancels do not wait for it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.behind_runs import RUNS, all_environments_hang, assert_cancelled_in_time, assert_lists_and_reads_answer
from tests.contract.stack import events_of
from tests.local_stack import running_stack

pytestmark = pytest.mark.faults


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a stack whose functions have one environment each."""
    with (
        running_stack(tmp_path / "state", environments=1) as stack,
        httpx.Client(base_url=stack.url, timeout=60) as client,
    ):
        yield client


def test_lists_reads_followers_and_a_hundred_cancels_do_not_wait_for_functions_that_hang(busy):
    with all_environments_hang(busy, runs=100) as paths:
        for path in RUNS.values():
            with pytest.raises(httpx.ReadTimeout):
                busy.post(path, data={"message": "hello"}, timeout=0.5)
        assert_lists_and_reads_answer(busy, paths[-1])
        of_the_worker = paths[-len(RUNS) - 1]
        with busy.stream("POST", f"{of_the_worker}/resume") as followed:
            events = events_of(followed.iter_lines())
            assert [next(events)["event"] for _ in range(2)] == ["catch_up", "RunStarted"]
        assert_cancelled_in_time(busy, paths)
