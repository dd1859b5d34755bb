"""Behind a stage or a domain's base path, with a key, and what the page fetches there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page, expect

from agentos_lambda.api.pages.files import page_file
from tests.api.world import Api
from tests.local_stack import StackProcess
from tests.process import free_port
from tests.waiting import until

pytestmark = pytest.mark.browser

KEY = "the key of this API"
FIRST_WORD = """() => new Promise((resolve) => {
  const asked = performance.now();
  new MutationObserver(() => {
    if (document.querySelector(".answer .text")?.textContent) resolve(performance.now() - asked);
  }).observe(document.querySelector(".scroller"), {childList: true, subtree: true});
  [...document.querySelectorAll(".prompts button")].find((button) => button.textContent === "Hello!").click();
})"""


@contextmanager
def served(api: Api, prefix: str) -> Iterator[str]:
    """The API under a prefix, as behind a stage of API Gateway or a base path of a domain."""

    async def app(scope, receive, send):
        own = scope["path"] if scope["path"] != prefix else f"{prefix}/"
        await api.app({**scope, "path": own, "root_path": prefix}, receive, send)

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}{prefix}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("prefix", ["", "/v1", "/a/base/path"])
def test_the_page_works_behind_a_prefix_with_and_without_a_trailing_slash(page: Page, prefix: str) -> None:
    with served(Api(), prefix) as url:
        for path in ("/", "/chat", "/chat/", *([""] if prefix else [])):
            page.goto(f"{url}{path}")
            page.get_by_role("link", name="Assistant").click()
            expect(page.get_by_role("button", name="Hi!", exact=True)).to_be_visible()
            expect(page.get_by_role("link", name="API")).to_have_attribute("href", f"{prefix}/docs")


def test_the_key_is_asked_for_kept_in_the_tab_and_never_in_a_url(page: Page) -> None:
    api = Api()
    api.key = KEY
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    with served(api, "/v1") as url:
        page.goto(f"{url}/chat")
        dialog = page.get_by_role("dialog", name="This API asks for a key")
        dialog.get_by_label("Key").fill("another")
        dialog.get_by_role("button", name="Continue").click()
        expect(dialog.get_by_text("The last one was not taken")).to_be_visible()
        dialog.get_by_label("Key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Assistant")).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name="Assistant")).to_be_visible()

        other = page.context.new_page()
        other.goto(f"{url}/chat")
        expect(other.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("JSON.stringify(localStorage) + document.cookie") == "{}"

        page.get_by_role("button", name="Forget the key", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
    assert not [each for each in urls if "key" in each.lower() or "another" in each]


def test_a_key_that_no_header_takes_is_asked_for_again(page: Page) -> None:
    api = Api()
    api.key = KEY
    with served(api, "") as url:
        page.goto(f"{url}/chat")
        dialog = page.get_by_role("dialog", name="This API asks for a key")
        dialog.get_by_label("Key").fill("ключ")
        page.keyboard.press("Enter")
        expect(dialog.get_by_text("it has letters that no header takes")).to_be_visible()
        dialog.get_by_label("Key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Assistant")).to_be_visible()


def test_an_address_that_cannot_be_read_names_nothing(page: Page) -> None:
    with served(Api(), "") as url:
        for path in ("/chat#/agents/%E0%A4%A", "/chat#/agents/assistant%"):
            page.goto("about:blank")
            page.goto(f"{url}{path}")
            expect(page.get_by_role("main").get_by_role("link", name="Assistant")).to_be_visible()
        page.goto(f"{url}/chat#/agents/nobody")
        expect(page.get_by_text("“nobody” is not served here")).to_be_visible()


def test_what_the_page_fetches_is_little(page: Page, figures: list[str]) -> None:
    with served(Api(), "/v1") as url:
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(httpx.URL(request.url).path))
        page.goto(f"{url}/chat")
        expect(page.get_by_role("link", name="Assistant")).to_be_visible()
        page.wait_for_load_state("networkidle")
        html = len(httpx.get(f"{url}/chat").content)
    assert sorted(fetched) == ["/v1/chat", "/v1/chat/chat-style.css", "/v1/chat/chat.js", "/v1/config", "/v1/sessions"]
    compressed = {name: len(page_file(name).compressed) for name in ("chat.js", "chat-style.css")}
    figures.append(f"the page fetches {len(fetched)} times: {html} bytes of HTML, and compressed {compressed}")
    assert html + sum(compressed.values()) < 150_000


def test_the_first_word_comes_soon(page: Page, stack: StackProcess, figures: list[str]) -> None:
    run = httpx.post(f"{stack.url}/agents/assistant/runs", data={"message": "Hello!"}, timeout=60)
    assert run.json()["status"] == "COMPLETED"  # the function has started
    page.goto(f"{stack.url}/chat#/agents/assistant")
    hello = page.get_by_role("list", name="Try one of these").get_by_role("button", name="Hello!")
    expect(hello).to_be_visible()
    took = page.evaluate(FIRST_WORD)
    figures.append(f"{took:.0f} ms from the click to the first word")
    assert took < 5000
