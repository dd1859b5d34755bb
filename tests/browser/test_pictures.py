"""Pictures of the page, for people. With ``PICTURES=docs/images`` they are those of the README."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import Person, answer
from tests.local_stack import running_stack

pytestmark = pytest.mark.browser

PHONE: Any = {"width": 390, "height": 780}
MAX_BYTES = 150_000


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A stack with the samples alone, and nothing that other tests have said."""
    toys = Path(__file__).parent / "toys/pictured.py"
    folder = tmp_path_factory.mktemp("harbour")
    samples = Path(__file__).parents[2] / "layers/components/components.py"
    (folder / "samples.py").write_text(samples.read_text())
    (folder / "components.py").write_text(toys.read_text())
    with running_stack(folder / "state", components=folder / "components.py") as stack:
        yield stack.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("PICTURES") or tmp_path)


def take(page: Page, path: Path) -> None:
    page.wait_for_timeout(1000)  # the list of sessions
    page.screenshot(path=path, animations="disabled", caret="hide")
    assert path.stat().st_size < MAX_BYTES, path


def test_pictures_in_light_and_dark_and_on_a_phone(browser: Browser, harbour: str, folder: Path) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    person = Person(page, harbour)
    page.goto(f"{harbour}/chat")
    expect(page.get_by_role("link", name="Assistant")).to_be_visible()
    take(page, folder / "page-home.png")

    person.asks("agents", "assistant", "add 2 and 3")
    person.asks("teams", "newsroom", "ask researcher: what is a serverless function?")
    turn = person.asks("agents", "shipwright", "Why has the fleet no harbours?")
    expect(answer(turn).locator(".code")).to_be_visible()
    take(page, folder / "page-light.png")
    page.emulate_media(color_scheme="dark")
    take(page, folder / "page-dark.png")
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    page.locator(".scroller").evaluate("each => { each.scrollTop = each.scrollHeight; }")
    take(page, folder / "page-phone.png")
    context.close()


def test_pictures_of_an_approval_and_of_steps(browser: Browser, harbour: str, folder: Path) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 620})
    page = context.new_page()
    person = Person(page, harbour)
    person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "The fleet sails on Friday."}')
    take(page, folder / "page-approval.png")
    person.opens("workflows", "voyage")
    turn = person.says("[slow 800ms] A voyage from Genoa to Oslo in the spring, please")
    expect(turn.locator(".node[data-state=running] .text").last).to_contain_text(re.compile("you said: A"))
    expect(turn.locator(".node[data-state=completed]").first).to_be_visible()
    take(page, folder / "page-steps.png")
    expect(turn).to_have_attribute("data-state", "running")
    page.get_by_role("button", name="Stop", exact=True).click()
    context.close()
