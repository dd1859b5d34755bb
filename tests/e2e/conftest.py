"""One deployment for all tests, and clients of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.deployment import Deployment, deployed

CANCEL_GRACE_SECONDS = 60
"""Seconds for a run to come to where it is expected: environments start cold, perhaps on a busy machine."""


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("build")) as running:
        yield running


def client_of(deployment: Deployment, key: str | None) -> httpx.Client:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=deployment.url, headers=headers, timeout=CANCEL_GRACE_SECONDS)


@pytest.fixture(scope="session")
def api(deployment: Deployment) -> Iterator[httpx.Client]:
    """A client with the key."""
    with client_of(deployment, deployment.key) as client:
        yield client


@pytest.fixture
def other(deployment: Deployment) -> Iterator[httpx.Client]:
    """Another client with the key."""
    with client_of(deployment, deployment.key) as client:
        yield client


@pytest.fixture
def stranger(deployment: Deployment) -> Iterator[httpx.Client]:
    """A client without the key."""
    with client_of(deployment, None) as client:
        yield client


def until(look: Callable[[], Any]) -> Any:
    """The first true value of ``look``. Fails when it takes too long."""
    deadline = time.monotonic() + CANCEL_GRACE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return found


def status_of(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


def wait_for(client: httpx.Client, path: str, *statuses: str) -> dict[str, Any]:
    """The run, once it has one of the statuses."""
    until(lambda: status_of(client, path) in statuses)
    return client.get(path).json()
