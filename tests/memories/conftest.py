from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from boto3.session import Session

from agentos_lambda.memories.ports import MemoryDirectory
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.stores.accounts import Aws, moto_account


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def aws(boto_session: Session) -> Iterator[Aws]:
    with moto_account(boto_session) as aws:
        yield aws


@pytest.fixture(params=["memory", "moto"])
def directory(request: pytest.FixtureRequest) -> MemoryDirectory:
    if request.param == "memory":
        return MemoryStore()
    aws: Aws = request.getfixturevalue("aws")
    return aws.store()


@pytest.fixture
def memories(directory: MemoryDirectory, clock: ManualClock) -> MemoryService:
    return MemoryService(directory, clock, new_id=map("id-{}".format, count(1)).__next__)
