"""One deployment for all tests, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.client import client_of
from tests.e2e.deployment import Deployment, deployed


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("build")) as running:
        yield running


@pytest.fixture(scope="session")
def api(deployment: Deployment) -> Iterator[httpx.Client]:
    """A client with the key."""
    with client_of(deployment.url, deployment.key) as client:
        yield client


@pytest.fixture
def other(deployment: Deployment) -> Iterator[httpx.Client]:
    """Another client with the key."""
    with client_of(deployment.url, deployment.key) as client:
        yield client


@pytest.fixture
def stranger(deployment: Deployment) -> Iterator[httpx.Client]:
    """A client without the key."""
    with client_of(deployment.url, None) as client:
        yield client
