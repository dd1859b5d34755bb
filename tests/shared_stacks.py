"""A plugin of pytest: a stack that tests of one group share ends with the last of them, and not with the process.

An idle stack takes a tenth of a processor, and the groups that have one begin first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest

from tests.groups import group_of
from tests.local_stack import StackProcess


class SharedStacks:
    """Those of the current group.

    Hooks in a conftest.py would see no fixture of the whole session, so this is registered by itself.
    """

    def __init__(self) -> None:
        self._ends: list[Callable[[], object]] = []

    def add(self, end: Callable[[], object]) -> None:
        """A stack has started that ends so."""
        self._ends.append(end)

    def end_after(self, test: str, following: str | None) -> None:
        """End all of them, the latest first, if the test that follows is of another group or there is none."""
        if following is None or group_of(following) != group_of(test):
            while self._ends:
                self._ends.pop()()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> Generator[None, object, object]:
        value = yield
        if isinstance(value, StackProcess):
            self.add(partial(fixturedef.finish, request))  # which ends what was made of it, too
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
        yield
        self.end_after(item.nodeid, nextitem.nodeid if nextitem else None)
