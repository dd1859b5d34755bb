from __future__ import annotations

from collections.abc import Iterator

import pytest
from boto3.session import Session

from agentos_lambda.runs.ports import Store
from agentos_lambda.stores.memory import MemoryStore
from tests.clocks import ManualClock
from tests.stores.accounts import EVENTS_TTL_SECONDS, Aws, ministack_account, moto_account
from tests.stores.builders import NOW


@pytest.fixture
def ministack_aws(boto_session: Session, cloud_url: str) -> Iterator[Aws]:
    with ministack_account(boto_session, cloud_url) as aws:
        yield aws


@pytest.fixture
def moto_aws(boto_session: Session) -> Iterator[Aws]:
    with moto_account(boto_session) as aws:
        yield aws


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
