from __future__ import annotations

import pytest

from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.stores.accounts import EVENTS_TTL_SECONDS, Aws
from tests.stores.builders import NOW


@pytest.fixture(params=["moto", "ministack"])
def aws(request: pytest.FixtureRequest) -> Aws:
    found: Aws = request.getfixturevalue(f"{request.param}_aws")
    return found


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture(params=["memory", "moto", "ministack"])
def store(request: pytest.FixtureRequest, clock: ManualClock) -> Store:
    if request.param == "memory":
        return MemoryStore(events_ttl_seconds=EVENTS_TTL_SECONDS, clock=clock)
    aws: Aws = request.getfixturevalue(f"{request.param}_aws")
    return aws.store(clock)
