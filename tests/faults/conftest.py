from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.clocks import ManualClock
from tests.runs.world import World
from tests.stores.accounts import Aws
from tests.stores.builders import NOW
from tests.stores.dynamodb.faults import FaultyClient


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
