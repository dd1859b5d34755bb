"""The pages that show the API document, and their files."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agentos_lambda.api.pages import files
from agentos_lambda.api.pages.files import CHAT_TYPES, MEDIA_TYPES, NotBuilt, build, page_file
from agentos_lambda.api.scope import TEXT_ONLY_KEY

pytestmark = pytest.mark.anyio

PAGES = ("/docs", "/redoc")
BROWSER = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br, zstd"}
"""What a browser sends for a script."""


@pytest.fixture
def stranger(api) -> httpx.AsyncClient:
    """A client without the key, behind a stage."""
    api.key = "secret"
    return httpx.AsyncClient(transport=httpx.ASGITransport(api.app, root_path="/v1"), base_url="http://test")


@pytest.fixture(autouse=True)
def chat_folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """The page to talk to components, as if `make page` had built it: these tests need no Node.js."""
    folder = tmp_path / "chat"
    folder.mkdir()
    for name in CHAT_TYPES:
        (folder / name).write_text(f"/* {name} */")
    monkeypatch.setattr(files, "_CHAT", folder)
    page_file.cache_clear()
    yield folder
    page_file.cache_clear()


@pytest.mark.parametrize("page", [*PAGES, "/chat"])
async def test_everything_that_a_page_loads_is_open_and_lies_behind_its_own_stage(stranger, page):
    html = (await stranger.get(f"/v1{page}")).text
    links = re.findall(r'(?:src|href|data-document|spec-url)="(?!data:)([^"]+)"', html)
    assert len(links) >= 2
    for link in links:
        assert link.startswith("/v1/")
        assert (await stranger.get(link)).status_code == 200, link


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_script_within_it_and_runs_in_no_frame(api, page):
    answer = await api.client.get(page)
    assert re.findall(r"<script(?! src=)", answer.text) == []
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.content) < 2000


@pytest.mark.parametrize("name", MEDIA_TYPES)
async def test_a_file_is_gzipped_and_kept_for_a_year(api, name):
    request = api.client.build_request("GET", f"/docs/{name}", headers=BROWSER)
    answer = await api.client.send(request, stream=True)
    raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == MEDIA_TYPES[name]
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == (
        "public, max-age=31536000, immutable",
        "nosniff",
    )
    assert raw == page_file(name).compressed
    assert len(raw) < 700_000


async def test_a_file_that_the_client_has_is_not_sent_again(api):
    first = await api.client.get("/docs/show.js")
    again = await api.client.get("/docs/show.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await api.client.get("/docs/show.js", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@pytest.mark.parametrize("text_only", [False, True])
async def test_a_file_is_text_for_a_client_or_a_gateway_that_takes_nothing_else(api, text_only):
    async def app(scope, receive, send):
        await api.app({**scope, TEXT_ONLY_KEY: text_only}, receive, send)

    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    headers = BROWSER if text_only else {"Accept-Encoding": "identity"}
    answer = await client.get("/docs/swagger-ui.css", headers=headers)
    assert "content-encoding" not in answer.headers
    assert answer.content == gzip.decompress(page_file("swagger-ui.css").compressed)


async def test_the_page_asks_nobody_but_the_api_and_makes_no_html_of_text(api):
    policy_text = (await api.client.get("/chat")).headers["content-security-policy"]
    policy = dict(each.strip().partition(" ")[::2] for each in policy_text.split(";"))
    assert "unsafe" not in policy_text
    assert "http" not in policy_text
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "dompurify")


async def test_the_page_says_what_it_was_told_as_text(api, monkeypatch):
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app, root_path='/"><script>'), base_url="http://test")
    html = (await client.get('/"><script>/chat')).text
    assert html.count("<script") == 1


async def test_a_page_that_nobody_has_built_says_how(api, chat_folder):
    for name in CHAT_TYPES:
        (chat_folder / name).unlink()
    for path in ("/chat", *(f"/chat/{name}" for name in CHAT_TYPES)):
        answer = await api.client.get(path)
        assert (answer.status_code, "make page" in answer.json()["detail"]) == (404, True)
    with pytest.raises(NotBuilt):
        page_file("chat.js")


@pytest.mark.parametrize("root", ["", "/v1"])
async def test_a_browser_is_led_from_the_root_to_the_page_and_a_program_is_not(api, root):
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app, root_path=root), base_url="http://test")
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    led = await client.get(f"{root}/", headers=browser)
    assert (led.status_code, led.headers["location"]) == (307, f"{root}/chat")
    assert "Accept" in led.headers["vary"]
    for accept in ("*/*", "application/json"):
        assert (await client.get(f"{root}/", headers={"Accept": accept})).json()["chat"] == f"{root}/chat"


async def test_no_other_file_is_given_away(stranger):
    for name in ("files.py", "html.py", "..%2Fauth.py", "built", "favicon.png"):
        answer = await stranger.get(f"/v1/docs/{name}", headers={"Authorization": "Bearer secret"})
        assert answer.status_code == 404, name


def test_the_build_writes_what_is_otherwise_compressed_at_the_first_request(tmp_path, monkeypatch):
    build(tmp_path / "built")
    written = {file.name: file.read_bytes() for file in (tmp_path / "built").iterdir()}
    assert written == {f"{name}.gz": page_file(name).compressed for name in MEDIA_TYPES | CHAT_TYPES}
    monkeypatch.setattr(files, "_BUILT", tmp_path / "built")
    monkeypatch.setattr(files, "_compress", None)
    for name in MEDIA_TYPES | CHAT_TYPES:
        assert page_file.__wrapped__(name) == page_file(name)
