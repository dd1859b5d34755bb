from __future__ import annotations

from collections.abc import Callable

import pytest

from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.memory import MemoryStore
from agentos_lambda.stores.retention import Retention
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


StoreWith = Callable[[Retention], Store]


@pytest.fixture(params=["memory", "moto", "ministack"])
def store_with(request: pytest.FixtureRequest, clock: ManualClock) -> StoreWith:
    """Makes a store that keeps things as long as a retention says; each is of the same data, but that in memory."""
    if request.param == "memory":
        return lambda retention: MemoryStore(events_ttl_seconds=EVENTS_TTL_SECONDS, retention=retention, clock=clock)
    aws: Aws = request.getfixturevalue(f"{request.param}_aws")
    return lambda retention: aws.store(clock, retention=retention)


@pytest.fixture
def store(store_with: StoreWith) -> Store:
    return store_with(Retention())
