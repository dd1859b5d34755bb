"""Keyboards, screen readers, phones, the dark, calm motion, and scripts from right to left."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.person import Person, answer
from tests.process import ROOT

pytestmark = pytest.mark.browser

AXE = (ROOT / "page/node_modules/axe-core/axe.min.js").read_text
PHONE: Any = {"width": 390, "height": 844}
MARKDOWN = "# A\n\n## B\n\n[link](https://example.com) `code`\n\n| a |\n|---|\n| b |\n\n```js\n1\n```\n\n- [x] done"


EDGE = """element => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number).slice(0, 3);
  const light = (color) => channels(color).map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const style = getComputedStyle(element);
  const found = [style.borderTopColor, style.backgroundColor].map(light).sort((a, b) => b - a);
  return (found[0] + 0.05) / (found[1] + 0.05);
}"""
"""The contrast of an element's border with what it surrounds, as WCAG 2.2 counts it."""


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse."""
    page.evaluate(AXE() + ";null")
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html']}"
        for each in found["violations"]
        for node in each["nodes"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, person: Person, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{person.url}/chat")
    expect(page.locator(".cards a").first).to_be_visible()
    assert serious(page) == []
    assert page.get_by_role("searchbox").evaluate(EDGE) >= 3
    person.asks("agents", "mirror", MARKDOWN)
    assert page.locator(".composer").evaluate(EDGE) >= 3
    assert serious(page) == []
    turn = person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    expect(turn.get_by_role("button", name="Approve")).to_be_visible()
    turn.locator(".tool summary").click()
    assert serious(page) == []
    turn = person.asks("workflows", "review", "a page")
    turn.locator("summary").first.click()
    assert serious(page) == []
    person.asks("agents", "assistant", "[fail]")
    session = page.locator(".sessions li").first
    session.hover()
    session.get_by_role("button", name="Rename").click()
    assert serious(page) == []


def test_everything_is_done_by_keyboard(page: Page, person: Person) -> None:
    page.goto(f"{person.url}/chat")
    expect(page.locator(".cards a").filter(has_text="Clerk")).to_be_visible()

    def tab_to(target: Locator) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError("no way to it by the Tab key")

    tab_to(page.locator(".cards a").filter(has_text="Clerk"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type('call send_letter {"to": "Ada", "text": "Hi"}')
    page.keyboard.press("Enter")
    turn = person.turns.first
    person.waits_for(turn, "paused")
    page.keyboard.press("Shift+Tab")
    approve = turn.get_by_role("button", name="Approve")
    for _ in range(6):
        if approve.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    person.waits_for(turn, "completed")
    expect(turn).to_be_focused()
    tab_to(page.get_by_role("textbox", name="Message"))
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two [slow 500ms]")
    page.keyboard.press("Enter")
    person.waits_for(person.turns.nth(1), "running")
    page.keyboard.press("Escape")
    person.waits_for(person.turns.nth(1), "cancelled")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_a_screen_reader_hears_the_answer_once(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    page.evaluate(
        """() => {
          window.heard = [];
          const status = document.querySelector("[role=status]");
          new MutationObserver(() => heard.push(status.textContent)).observe(status, {childList: true});
        }"""
    )
    turn = person.says("[slow 40ms] one two three four")
    person.waits_for(turn, "completed")
    said = "I am the demo model, and you said: one two three four"
    expect(page.get_by_role("status")).to_have_text(f"Assistant: {said}")
    assert page.evaluate("heard") == ["Assistant is answering", f"Assistant: {said}"]
    live = page.locator("[aria-live], [role=status], [role=log]")
    expect(live).to_have_count(1)


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Browser, person: Person) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    person = Person(context.new_page(), person.url)
    for address, shown in (("", ".cards"), ("#/agents/wordy", ".beginning")):
        person.page.goto(f"{person.url}/chat{address}")
        expect(person.page.locator(shown).first).to_be_visible()
        wide = "all => all.filter((each) => each.scrollWidth > innerWidth).map((each) => each.className)"
        assert person.page.locator("body, .scroller, .scroller *").evaluate_all(wide) == []
    person.opens("agents", "mirror")
    expect(person.page.get_by_role("textbox", name="Message")).not_to_be_focused()
    wide = "| a | b |\n|---|---|\n| " + "wide" * 40 + " | x |\n\n```\n" + "code " * 60 + "\n```\n\n" + "w" * 200
    turn = person.asks("agents", "mirror", wide)
    page = person.page
    assert page.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    assert answer(turn).evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    menu = page.get_by_role("button", name="Sessions", exact=True)
    menu.tap()
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("searchbox")).to_be_in_viewport()
    assert serious(page) == []
    main = page.locator("main")
    expect(main).to_have_js_property("inert", True)
    page.touchscreen.tap(PHONE["width"] - 10, 300)
    expect(main).to_have_js_property("inert", False)
    menu.tap()
    page.locator(".sessions a").first.tap()
    expect(main).to_have_js_property("inert", False)
    expect(page.get_by_role("searchbox")).not_to_be_in_viewport()
    context.close()


def test_the_message_field_keeps_away_from_the_edges_of_every_window(page: Page, person: Person) -> None:
    person.opens("agents", "mirror")
    for width in (360, 800, 1000, 1920):
        page.set_viewport_size({"width": width, "height": 700})
        left, right = page.locator(".composer").evaluate(
            """element => {
              const [field, main] = [element, element.parentElement].map((each) => each.getBoundingClientRect());
              return [field.left - main.left, main.right - field.right];
            }"""
        )
        assert left >= 8, width
        assert abs(left - right) < 1, width


def test_the_dark_is_dark_and_calm_is_calm(page: Page, person: Person) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    person.opens("agents", "assistant")
    turn = person.says("[slow 500ms] one two three")
    channels = page.evaluate("getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(channels[:3]) < 60
    expect(turn.locator(".mark").last).to_be_visible()
    moving = "element => getComputedStyle(element, '::before').animationName"
    assert turn.locator(".mark").last.evaluate(moving) == "none"


def test_text_from_right_to_left_stands_at_the_right(page: Page, person: Person) -> None:
    turn = person.asks("agents", "mirror", "مرحبا بالعالم\n\n* واحد\n\nHello world")
    direction = "all => all.map(each => getComputedStyle(each).direction)"
    assert answer(turn).locator("p, li").evaluate_all(direction) == ["rtl", "rtl", "ltr"]
    assert turn.locator(".asked").evaluate("each => getComputedStyle(each).direction") == "rtl"
    expect(page.get_by_role("textbox", name="Message")).to_have_attribute("dir", re.compile("auto"))
