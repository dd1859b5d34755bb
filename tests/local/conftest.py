"""One stack over toy functions for all tests of a group that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.local.toy_process import Signals, toy_process
from tests.local_stack import StackProcess


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack(shared_folder: Path) -> Iterator[StackProcess]:
    signals = shared_folder / "signals"
    signals.mkdir(exist_ok=True)
    with toy_process(shared_folder / "state", signals, OS_SECURITY_KEY="from the user") as process:
        process.until_ready()
        yield process


@pytest.fixture(scope="session")
def signals(shared_folder: Path) -> Signals:
    return Signals(shared_folder / "signals")


@pytest.fixture
def client(stack: StackProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client
