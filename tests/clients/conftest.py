"""Two stacks: one takes everybody in, the other one wants a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.served import KEY, Served
from tests.local_stack import running_stack


@pytest.fixture(scope="session")
def open_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_stack(tmp_path_factory.mktemp("open")) as stack:
        yield Served(stack.url, "")


@pytest.fixture(scope="session")
def locked_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_stack(tmp_path_factory.mktemp("locked"), {"OS_SECURITY_KEY": KEY}) as stack:
        yield Served(stack.url, KEY)
