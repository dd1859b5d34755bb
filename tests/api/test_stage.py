"""Behind the stage of a deployed API, which is a prefix of every path."""

from __future__ import annotations

import httpx
import pytest

from agentos_lambda.api.auth import OPEN_PATHS
from tests.api.world import Api

pytestmark = pytest.mark.anyio


@pytest.fixture
def deployed(api: Api) -> httpx.AsyncClient:
    api.key = "secret"
    transport = httpx.ASGITransport(api.app, root_path="/v1")
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
async def test_what_is_open_is_open_behind_a_stage(deployed, path):
    # Where nobody has built it, the page to talk to components is not found.
    assert (await deployed.get(f"/v1{path}")).status_code in ({200, 404} if path.startswith("/chat") else {200})


async def test_what_needs_the_key_needs_it_behind_a_stage(deployed):
    assert (await deployed.get("/v1/config")).status_code == 401
    assert (await deployed.get("/v1/config", headers={"Authorization": "Bearer secret"})).status_code == 200


async def test_a_path_that_only_looks_like_an_open_one_needs_the_key(deployed):
    for path in ("/v1/v1/health", "/v1health", "/v1/agents/health", "/v1//health"):
        assert (await deployed.get(path)).status_code == 401


async def test_a_trailing_slash_makes_no_difference_behind_a_stage(deployed):
    authorized = {"Authorization": "Bearer secret"}
    assert (await deployed.get("/v1/agents/", headers=authorized)).status_code == 200


async def test_links_lead_behind_the_stage(deployed):
    home = (await deployed.get("/v1/")).json()
    assert (home["health"], home["info"], home["docs"]) == ("/v1/health", "/v1/info", "/v1/docs")
    assert (await deployed.get("/v1/openapi.json")).json()["servers"] == [{"url": "/v1"}]
    assert 'data-document="/v1/openapi.json"' in (await deployed.get("/v1/docs")).text
    assert 'spec-url="/v1/openapi.json"' in (await deployed.get("/v1/redoc")).text


async def test_links_lead_to_the_root_of_a_domain_of_its_own(api):
    home = (await api.client.get("/")).json()
    assert (home["health"], home["info"], home["docs"]) == ("/health", "/info", "/docs")
    assert (await api.client.get("/openapi.json")).json()["servers"] == [{"url": "/"}]
