from __future__ import annotations

import pytest

from tests.runs.conftest import World
from tests.stores.conftest import boto_session, cloud_url, ministack_aws, moto_aws

__all__ = ["boto_session", "cloud_url", "ministack_aws", "moto_aws"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world() -> World:
    return World()
