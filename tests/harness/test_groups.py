"""Tests that share something dear run on one process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from tests.groups import LONGEST, MARKS, SHARED, group_of, may_hold, own_order, sample, turn_of
from tests.process import ROOT
from tests.shared_stacks import SharedStacks


def test_tests_that_share_a_stack_are_one_group_whichever_file_they_are_in() -> None:
    assert group_of("tests/contract/test_cancel.py::test_a[x]") == group_of("tests/contract/test_files.py::test_b")
    assert group_of("tests/local/test_gateway.py::test_a") == group_of("tests/local/test_event_source.py::test_b")


def test_all_others_are_a_group_with_the_rest_of_their_file() -> None:
    assert group_of("tests/local/test_answer.py::test_a") == "tests/local/test_answer.py"
    assert group_of("tests/runs/test_tail.py::test_a[b::c/d]") == "tests/runs/test_tail.py"


@pytest.mark.parametrize("path", [*chain.from_iterable(SHARED), *LONGEST])
def test_a_group_is_of_a_folder_or_a_file_that_there_is(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_longest_groups_begin_first_and_the_others_keep_their_order() -> None:
    turns = [turn_of(group) for group in (*LONGEST, "tests/runs/test_tail.py", "tests/api/test_runs.py")]
    assert turns == [*range(len(LONGEST)), len(LONGEST), len(LONGEST)]


def test_each_process_reads_the_same_folders_and_begins_with_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    orders = []
    for number in (1, 2):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        orders.append(own_order(["tests"]))
        assert own_order(["tests/runs"]) == ["tests/runs"]
    assert set(orders[0]) == set(orders[1]) == {str(file.parent) for file in Path("tests").glob("*/test_*.py")}
    assert len({"tests/api", orders[0][0], orders[1][0]}) == 3


def test_stacks_that_a_group_shares_end_after_its_last_test_the_latest_first() -> None:
    ended: list[str] = []
    shared = SharedStacks()
    for name in ("a stack", "its client"):
        shared.add(partial(ended.append, name))
    shared.end_after("tests/local/test_event_source.py::test_a", "tests/local/test_gateway.py::test_b")
    assert ended == []
    shared.end_after("tests/local/test_gateway.py::test_b", "tests/local/test_answer.py::test_c")
    assert ended == ["its client", "a stack"]
    shared.end_after("tests/local/test_answer.py::test_c", None)
    assert len(ended) == 2


def test_a_sample_is_by_its_seed_and_of_about_the_size_that_is_asked_for() -> None:
    tests = [f"tests/faults/test_orders.py::test_an_order[{number}]" for number in range(900)]
    assert sample(tests, 1, 7) == set(tests)
    assert sample(tests, 3, 7) == sample(tests, 3, 7) != sample(tests, 3, 8)
    assert 250 < len(sample(tests, 3, 7)) < 350


def test_only_files_that_name_a_mark_are_read_for_it() -> None:
    assert may_hold(ROOT / "tests/faults", "faults")
    assert may_hold(ROOT / "tests/faults/test_cancels.py", "faults")
    assert not may_hold(ROOT / "tests/faults/test_cancels.py", "docker")
    assert not may_hold(ROOT / "tests/protocol", "faults")


def test_a_conftest_names_a_mark_for_all_files_of_its_folder() -> None:
    assert may_hold(ROOT / "tests/stores", "moto")
    assert may_hold(ROOT / "tests/stores/test_claims.py", "moto")
    assert may_hold(ROOT / "tests/stores/dynamodb/test_items.py", "moto")
    assert not may_hold(ROOT / "tests/api", "moto")


def test_the_marks_are_those_of_the_project() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    assert sorted(MARKS) == sorted(line.partition(":")[0] for line in told)


def test_two_processes_share_the_tests_by_their_groups() -> None:
    """As `make test` has it: two files, each on a process of its own."""
    files = [f"tests/harness/{name}.py" for name in ("test_waiting", "test_groups")]
    options = ["-n", "2", "-v", "-k", "true_value or rest_of_their_file or what_never", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.findall(r"\[(gw\d)\] \[ *\d+%\] PASSED (\S+)::", done.stdout)
    assert len(told) == 3, done.stdout
    assert len({process for process, _ in told}) == len(set(told)) == 2
