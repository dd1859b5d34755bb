"""One stack for all tests; each uses ids of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.contract.stack import LocalCloud, cloud_behind, contract_stack, silent_server
from tests.local_stack import StackProcess


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    """It takes everybody in: no key is set."""
    state = tmp_path_factory.mktemp("contract") / "state"
    with silent_server() as silent, contract_stack(state, {"SILENT_SERVER": silent}) as process:
        yield process


@pytest.fixture(scope="session")
def client(stack: StackProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def cloud(client: httpx.Client) -> LocalCloud:
    return cloud_behind(client)
