"""What can be told without running anything."""

import re
from collections import defaultdict

import pytest

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.errors import StoreUnavailable
from tests.api.world import NAMES

pytestmark = pytest.mark.anyio


async def test_home_and_health_and_info(api):
    assert (await api.client.get("/")).json()["docs"] == "/docs"
    health = (await api.client.get("/health")).json()
    assert health == {"status": "ok", "instantiated_at": "2027-01-15T08:00:00Z"}
    info = (await api.client.get("/info")).json()
    assert (info["agent_count"], info["team_count"], info["workflow_count"]) == (1, 1, 1)
    assert (info["auth_mode"], info["agno_version"], info["websocket_url"]) == ("none", "3.1.10", None)


async def test_config_tells_the_whole_os(api):
    config = (await api.client.get("/config")).json()
    assert config["os_id"] == "os"
    assert config["available_models"] == [{"id": "demo", "provider": "Demo"}]
    assert config["chat"]["quick_prompts"]["assistant"] == ["Hi!"]
    for kind in Kind:
        assert [component["id"] for component in config[kind.plural]] == [NAMES[kind]]
    assert (await api.client.get("/models")).json() == config["available_models"]


@pytest.mark.parametrize("kind", list(Kind))
async def test_components_are_listed_and_described(api, kind):
    listed = (await api.client.get(f"/{kind.plural}")).json()
    assert [(item["id"], item["listed"]) for item in listed] == [(NAMES[kind], True)]
    assert (await api.client.get(f"/{kind.plural}/{NAMES[kind]}")).json()["detail"] is True
    assert (await api.client.get(f"/{kind.plural}/")).json() == listed


async def test_one_document_describes_all_routes_of_all_functions(api):
    described = (await api.client.get("/openapi.json")).json()
    assert {"/", "/health", "/info", "/config", "/models"} <= set(described["paths"])
    for kind in Kind:
        own = {path for path in described["paths"] if path.startswith(f"/{kind.plural}")}
        one = f"/{{{kind}_id}}"
        run = f"{one}/runs/{{run_id}}"
        rest = ("", one, f"{one}/runs", run)
        actions = (f"{run}/{action}" for action in ("cancel", "resume", "continue"))
        assert own == {f"/{kind.plural}{path}" for path in (*rest, *actions)}
    body = described["paths"]["/agents/{agent_id}/runs"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data", "application/x-www-form-urlencoded"}
    upload = body["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    assert "files" in described["components"]["schemas"][upload]["properties"]


@pytest.mark.parametrize("page", ["/docs", "/redoc", "/docs/"])
async def test_the_pages_show_the_document_and_load_nothing_from_elsewhere(api, page):
    html = (await api.client.get(page)).text
    assert re.search(r"""(data-document|spec-url)="/openapi.json\"""", html)
    loaded = [url for url in re.findall(r"""(?:src|href)="([^"]*)""", html) if not url.startswith("data:")]
    assert loaded
    assert [url for url in loaded if not re.match(r"/docs/[\w.-]+\?v=\w+$", url)] == []


async def test_every_route_but_the_open_ones_needs_the_key(api):
    api.key = "k3y"
    described = (await api.client.get("/openapi.json")).json()
    ids = defaultdict(lambda: "any", agent_id="assistant")
    open_routes = {"/", "/health", "/info", "/docs", "/redoc", "/openapi.json"}
    for path, methods in described["paths"].items():
        for method in methods:
            answer = await api.client.request(method, path.format_map(ids))
            if path in open_routes:
                assert answer.status_code == 200, path
            else:
                assert answer.status_code == 401, path
                assert answer.json() == {"detail": "Authorization header required", "error_code": "UNAUTHORIZED"}


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "", "Basic k3y", "Bearer k3y k3y", "Bearer k3ÿ"])
async def test_a_wrong_key_is_refused_on_unknown_paths_too(api, header):
    api.key = "k3y"
    for path in ("/agents", "/nowhere", "/agents/"):
        answer = await api.client.get(path, headers={"authorization": header.encode("latin-1")})
        assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid authentication token")


@pytest.mark.parametrize("header", ["Bearer k3y", "bearer k3y", "k3y"])
async def test_the_key_lets_in_and_a_rotated_one_no_longer(api, header):
    api.key = "k3y"
    assert (await api.client.get("/agents", headers={"authorization": header})).status_code == 200
    api.key = "rotated"
    assert (await api.client.get("/agents", headers={"authorization": header})).status_code == 401


async def test_nobody_gets_in_while_the_key_cannot_be_read(api):
    def unreadable():
        raise StoreUnavailable("no secret")

    api.read_key = unreadable
    answer = await api.client.get("/agents")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_browsers_of_known_origins_may_call_and_preflights_need_no_key(api):
    api.key = "k3y"
    preflight = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    answer = await api.client.options("/agents/assistant/runs", headers=preflight)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "http://localhost:3000")
    refused = await api.client.get("/agents", headers={"origin": "http://localhost:3000"})
    assert refused.headers["access-control-allow-origin"] == "http://localhost:3000"
    foreign = await api.client.options("/agents", headers={**preflight, "origin": "https://example.com"})
    assert (foreign.status_code, foreign.json()["error_code"]) == (400, "BAD_REQUEST")
