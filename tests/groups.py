"""Which tests stay together on one process, in their order, when several processes share the tests; which of many are
run if only a sample is; and which files are read for the tests of a mark."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

SHARED = (
    ("tests/local/test_workflow_websocket.py", "tests/contract/test_keys.py"),
    ("tests/contract/",),
    ("tests/e2e/",),
    ("tests/local/test_event_source.py", "tests/local/test_gateway.py"),
    ("tests/sam_local/",),
    ("tests/providers/", "tests/engine/test_model_needs.py"),
)
"""Paths whose tests share a stack, which takes seconds to start or minutes to build, or the clients of all providers,
which take seconds to import."""

LONGEST = (
    "tests/local/test_workflow_websocket.py",
    "tests/contract/",
    "tests/providers/",
    "tests/local/test_lifecycle.py",
    "tests/faults/test_interleavings.py",
    "tests/faults/test_death_at_each_call.py",
    "tests/local/test_event_source.py",
    "tests/engine/test_manifest.py",
    "tests/stores/test_commits.py",
    "tests/faults/test_state_machine.py",
)
"""Groups that take long. They begin first, so that no process has to wait for another one in the end."""


def group_of(test: str) -> str:
    """The group of the test with this id: that of its shared stack, or else its file."""
    path = test.partition("::")[0]
    return next((together[0] for together in SHARED if path.startswith(together)), path)


def turn_of(group: str) -> int:
    """Groups of a lower turn begin earlier."""
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


def own_order(paths: list[str]) -> list[str]:
    """What this process reads, if that is all tests: each of several processes begins with another folder.

    In a fresh clone pytest rewrites the assertions of every file, which takes as long as all the rest of reading them.
    Processes with one order would all rewrite the same file at the same time. So they find what the others wrote.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if number == 0 or paths != ["tests"]:
        return paths
    folders = sorted(str(folder) for folder in Path("tests").iterdir() if any(folder.glob("**/test_*.py")))
    first = len(folders) * number // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    return folders[first:] + folders[:first]


def sample(tests: Iterable[str], one_in: int, seed: int) -> set[str]:
    """About one in so many of these tests: the same ones for the same seed."""
    return {test for test in tests if zlib.crc32(f"{seed} {test}".encode()) % one_in == 0}


MARKS = ("browser", "build", "clients", "comparisons", "docker", "faults", "moto", "sample", "slices")
"""Of tests that have a target of their own."""


def may_hold(path: Path, mark: str) -> bool:
    """Whether this file or folder names the mark, or a conftest.py for it. If not, there is no need to import it: that
    takes seconds."""
    return any(place.is_relative_to(path) or path.is_relative_to(place) for place in _places_that_name(mark))


@cache
def _places_that_name(mark: str) -> frozenset[Path]:
    """Files of tests, and the folders whose conftest.py marks the tests of a fixture."""
    tests = Path(__file__).parent
    named = [file for file in tests.rglob("*.py") if f"mark.{mark}" in file.read_text()]
    files = {file for file in named if file.match("test_*.py")}
    return frozenset(files | {file.parent for file in named if file.name == "conftest.py"})


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole groups.

    By this method, which xdist documents for the purpose, and not by its ``--dist loadgroup``: that one changes the ids
    of tests in a way that pytest 9.2 ignores (pytest-xdist, issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
