from __future__ import annotations

from itertools import count

import pytest

from agentos_lambda.memories.ports import MemoryDirectory
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.stores.accounts import Aws


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "moto"])
def directory(request: pytest.FixtureRequest) -> MemoryDirectory:
    if request.param == "memory":
        return MemoryStore()
    aws: Aws = request.getfixturevalue("moto_aws")
    return aws.store()


@pytest.fixture
def memories(directory: MemoryDirectory, clock: ManualClock) -> MemoryService:
    return MemoryService(directory, clock, new_id=map("id-{}".format, count(1)).__next__)
