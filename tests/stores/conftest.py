from __future__ import annotations

from collections.abc import Callable

import pytest

from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.memory import MemoryStore
from agentos_lambda.stores.retention import Retention
from tests.clocks import ManualClock
from tests.stores.accounts import EVENTS_TTL_SECONDS, Aws
from tests.stores.builders import NOW

MOTO = pytest.param("moto", marks=pytest.mark.moto)
"""A second implementation of AWS, which shows that the first one's tests pass by no quirk of it."""


@pytest.fixture(params=["ministack", MOTO])
def aws(request: pytest.FixtureRequest) -> Aws:
    return _account(request)


@pytest.fixture(params=["memory", "ministack", MOTO])
def backing(request: pytest.FixtureRequest) -> Aws | None:
    """The account that a store keeps its data in; none if it keeps them in memory."""
    return None if request.param == "memory" else _account(request)


def _account(request: pytest.FixtureRequest) -> Aws:
    account: Aws = request.getfixturevalue(f"{request.param}_aws")
    return account


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


StoreWith = Callable[[Retention], Store]


@pytest.fixture
def store_with(backing: Aws | None, clock: ManualClock) -> StoreWith:
    """Makes a store that keeps things as long as a retention says; each is of the same data, but that in memory."""
    if backing is None:
        return lambda retention: MemoryStore(events_ttl_seconds=EVENTS_TTL_SECONDS, retention=retention, clock=clock)
    return lambda retention: backing.store(clock, retention=retention)


@pytest.fixture
def store(store_with: StoreWith) -> Store:
    return store_with(Retention())
