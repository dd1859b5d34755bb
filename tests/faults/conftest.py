from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from boto3.session import Session

from tests.clocks import ManualClock
from tests.runs.world import World
from tests.stores.accounts import Aws, ministack_account, moto_account
from tests.stores.builders import NOW
from tests.stores.dynamodb.faults import FaultyClient


@pytest.fixture
def ministack_aws(boto_session: Session, cloud_url: str) -> Iterator[Aws]:
    with ministack_account(boto_session, cloud_url) as aws:
        yield aws


@pytest.fixture
def moto_aws(boto_session: Session) -> Iterator[Aws]:
    with moto_account(boto_session) as aws:
        yield aws


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
