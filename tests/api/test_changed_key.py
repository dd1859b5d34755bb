"""The security key is changed while the functions are warm."""

import httpx
import pytest
from fastapi import APIRouter

from agentos_lambda.api.app import create_app
from agentos_lambda.api.context import Os, Services
from agentos_lambda.identity.authority import Authority
from agentos_lambda.stores.secret import MAX_AGE_MS, REREAD_INTERVAL_MS
from tests.clocks import ManualClock
from tests.stores.changing_secret import ChangingSecret

pytestmark = pytest.mark.anyio


class Environments:
    """Two environments of one function."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.secret = ChangingSecret("old")
        self.apps = [self._app(), self._app()]

    def _app(self):
        router = APIRouter()
        router.add_api_route("/config", lambda: {"os": "test"})
        authority = Authority(self.secret.environment(self.clock), self.clock)
        return create_app(router, Services(Os(), None, self.clock, authority))

    async def status(self, key, environment=0):
        transport = httpx.ASGITransport(self.apps[environment])
        async with httpx.AsyncClient(transport=transport, base_url="https://api") as client:
            return (await client.get("/config", headers={"Authorization": f"Bearer {key}"})).status_code


@pytest.fixture
async def warm():
    environments = Environments()
    for environment in (0, 1):
        assert await environments.status("old", environment) == 200
    environments.clock.advance(REREAD_INTERVAL_MS)
    environments.secret.text = "new"
    return environments


async def test_a_new_key_works_at_once(warm):
    assert await warm.status("new") == 200


async def test_an_old_key_is_refused_where_the_new_one_was_presented(warm):
    await warm.status("new")
    assert await warm.status("old") == 401


async def test_an_old_key_is_refused_everywhere_within_five_minutes(warm):
    await warm.status("new", 0)
    assert await warm.status("old", 1) == 200
    warm.clock.advance(300_000 - REREAD_INTERVAL_MS)
    assert await warm.status("old", 1) == 401
    assert MAX_AGE_MS <= 300_000


async def test_wrong_keys_make_an_environment_read_the_secret_every_thirty_seconds_at_most(warm):
    reads = warm.secret.reads
    for guess in range(600):
        warm.clock.advance(100)
        assert await warm.status(f"guess-{guess}") == 401
    assert warm.secret.reads - reads == 2


async def test_a_missing_key_reads_no_secret(warm):
    reads = warm.secret.reads
    transport = httpx.ASGITransport(warm.apps[0])
    async with httpx.AsyncClient(transport=transport, base_url="https://api") as client:
        assert (await client.get("/config")).status_code == 401
    assert warm.secret.reads == reads
