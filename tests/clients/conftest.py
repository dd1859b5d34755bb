"""Two stacks: one takes everybody in, the other one wants a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from agno.client import AgentOSClient
from agno.utils.http import aclose_default_clients

from tests.clients.served import KEY, Served
from tests.contract.stack import contract_stack, silent_server
from tests.local_stack import running_stack


@pytest.fixture(scope="session")
def open_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The one of the contract, with its components: agno's client needs some that wait, fail or remember."""
    state = tmp_path_factory.mktemp("open") / "state"
    with silent_server() as silent, contract_stack(state, {"SILENT_SERVER": silent}) as stack:
        yield Served(stack.url, "")


@pytest.fixture(scope="session")
def client(open_stack: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=open_stack.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
async def agentos(open_stack: Served) -> AsyncIterator[AgentOSClient]:
    """One for all tests of a file, and one event loop: it shares its connections with all others of the process."""
    yield AgentOSClient(base_url=open_stack.url)
    await aclose_default_clients()


@pytest.fixture(scope="session")
def locked_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_stack(tmp_path_factory.mktemp("locked"), {"OS_SECURITY_KEY": KEY}) as stack:
        yield Served(stack.url, KEY)
