"""Which pages may read the answers."""

import pytest

from agentos_lambda.api.cors import AllowedOrigins
from tests.api.world import Api

pytestmark = pytest.mark.anyio

PREFLIGHT = {"access-control-request-method": "POST"}
MINE = (
    "https://App.Example.com/",
    "http://plain.example.com:80",
    "https://tls.example.com:443/",
    "https://*.pages.example.com",
    "https://*.ports.example.com:8443",
    "https://b\u00fccher.example",
    "http://[::1]:5173",
    "capacitor://localhost",
    "*",
)
ALLOWED = [
    "https://app.example.com",
    "http://plain.example.com",
    "https://tls.example.com",
    "https://a.pages.example.com",
    "https://a.b.pages.example.com",
    "https://a.ports.example.com:8443",
    "https://xn--bcher-kva.example",
    "http://[::1]:5173",
    "capacitor://localhost",
]
FOREIGN = [
    "https://example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.org",
    "https://pages.example.com",
    "https://evilpages.example.com",
    "https://.pages.example.com",
    "https://a.pages.example.com:444",
    "https://a.ports.example.com",
    "https://*.pages.example.com",
    "https://a.pages.example.com@evil.org",
    "http://localhost:3000",
    "http://[::1]:5174",
    "*",
    "null",
    "",
]
LOOPBACK = [
    "http://localhost",
    "http://localhost:5173",
    "https://localhost:8443",
    "http://app.localhost:3000",
    "http://127.0.0.1:1",
    "http://127.8.8.8:65535",
    "http://[::1]:8000",
]


def of(answer):
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", ALLOWED)
async def test_a_page_of_a_listed_origin_may_read_answers_with_credentials(origin):
    api = Api(origins=MINE)
    for answer in (
        await api.client.get("/health", headers={"origin": origin}),
        await api.client.options("/agents", headers={**PREFLIGHT, "origin": origin}),
    ):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_gets_no_header_that_allows_anything(origin):
    api = Api(origins=MINE)
    refused = await api.client.options("/agents", headers={**PREFLIGHT, "origin": origin})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "BAD_REQUEST")
    read = await api.client.get("/health", headers={"origin": origin})
    assert read.status_code == 200
    for answer in (refused, read):
        assert of(answer) == set()
        assert "Origin" in answer.headers["vary"]


async def test_a_listed_origin_learns_which_method_is_refused():
    preflight = {"origin": "https://app.example.com", "access-control-request-method": "BREW"}
    answer = await Api(origins=MINE).client.options("/agents", headers=preflight)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, "https://app.example.com")


async def test_an_answer_to_no_page_says_that_it_depends_on_the_page(api):
    answer = await api.client.get("/health")
    assert (of(answer), answer.headers["vary"]) == (set(), "Origin")


@pytest.mark.parametrize("origin", LOOPBACK)
def test_loopback_is_every_origin_on_this_machine(origin):
    assert origin in AllowedOrigins(["loopback"])
    assert origin not in AllowedOrigins(["https://example.com"])


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.org", "http://10.0.0.1", "http://evil.org:127", "http://[::2]"]
)
def test_loopback_is_no_other_machine(origin):
    assert origin not in AllowedOrigins(["loopback"])


def test_what_is_no_origin_is_reported(caplog):
    AllowedOrigins(["example.com", "https://*", "https://a.b/path", "*", "https://example.com"])
    assert [record.args for record in caplog.records] == [("example.com",), ("https://*",), ("https://a.b/path",)]
