"""Tests that share something dear run on one process."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.groups import LONGEST, SHARED, group_of, turn_of
from tests.process import ROOT


def test_tests_that_share_a_stack_are_one_group_whichever_file_they_are_in() -> None:
    assert group_of("tests/contract/test_cancel.py::test_a[x]", ["stack", "client"]) == "tests/contract"
    assert group_of("tests/contract/test_files.py::test_b", ["stack"]) == "tests/contract"


def test_all_others_are_a_group_with_the_rest_of_their_file() -> None:
    assert group_of("tests/contract/test_keys.py::test_a", ["closed"]) == "tests/contract/test_keys.py"
    assert group_of("tests/runs/test_tail.py::test_a[b::c/d]", ["stack"]) == "tests/runs/test_tail.py"


@pytest.mark.parametrize("group", [*SHARED, *LONGEST])
def test_a_group_is_a_folder_or_a_file_that_there_is(group: str) -> None:
    assert (ROOT / group).exists()


def test_the_longest_groups_begin_first_and_the_others_keep_their_order() -> None:
    turns = [turn_of(group) for group in (*LONGEST, "tests/runs/test_tail.py", "tests/api/test_runs.py")]
    assert turns == [*range(len(LONGEST)), len(LONGEST), len(LONGEST)]


def test_two_processes_share_the_tests_by_their_groups() -> None:
    """As `make test` has it: two files, each on a process of its own."""
    files = [f"tests/harness/{name}.py" for name in ("test_waiting", "test_groups")]
    options = ["-n", "2", "--dist", "loadgroup", "-v", "-k", "true_value or rest_of_their_file or what_never"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.findall(r"\[(gw\d)\] \[ *\d+%\] PASSED (\S+)::\S+?@(\S+)", done.stdout)
    assert len(told) == 3, done.stdout
    assert all(file == group for _, file, group in told)
    assert len({(process, group) for process, _, group in told}) == 2
