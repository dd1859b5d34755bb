"""A plugin of pytest that tells the processor time of each test file: ``python -m pytest -p tests.costs tests/stores``.

That of the processes that its tests start is included. Unlike the time on a clock, it depends little on what else the
machine does.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import descendants

_TICKS = os.sysconf("SC_CLK_TCK")
_costs: Counter[str] = Counter()
"""Ticks by file."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before = _spent()
    try:
        return (yield)
    finally:
        _costs[item.nodeid.partition("::")[0]] += _spent() - before


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [(cost, file) for file, cost in _costs.most_common()]
    terminalreporter.section("processor seconds")
    for cost, file in [*told, (sum(_costs.values()), "these tests"), (_spent(), "with imports and collection")]:
        terminalreporter.write_line(f"{cost / _TICKS:8.1f}  {file}")


def _spent() -> int:
    """Ticks of this process and of all that it has started."""
    return sum(_ticks(pid) for pid in (os.getpid(), *descendants(os.getpid())))


def _ticks(pid: int) -> int:
    """Those of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # it has ended since
    return sum(map(int, fields[11:15]))
