from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.clocks import ManualClock
from tests.runs.conftest import World
from tests.stores.builders import NOW
from tests.stores.conftest import Aws, boto_session, cloud_url, ministack_aws, moto_aws
from tests.stores.dynamodb.faults import FaultyClient

__all__ = ["boto_session", "cloud_url", "ministack_aws", "moto_aws"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world() -> World:
    return World()


@dataclass
class CloudWorld:
    """A world over DynamoDB whose requests go wrong on order."""

    world: World
    dynamodb: FaultyClient
    s3: FaultyClient
    aws: Aws


@pytest.fixture
def cloud(moto_aws: Aws) -> CloudWorld:
    clock = ManualClock(NOW)
    dynamodb, s3 = FaultyClient(moto_aws.dynamodb), FaultyClient(moto_aws.s3)
    store = moto_aws.store(clock, dynamodb=dynamodb, s3=s3)
    return CloudWorld(World(store=store, clock=clock), dynamodb, s3, moto_aws)
