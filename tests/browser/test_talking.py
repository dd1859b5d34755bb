"""Components, text, tools, members, steps, media: what a person sees of a run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser

MARKDOWN = """# Ships

A *small* **fleet**, `code`, and [a link](https://example.com/a?b=c).

* oak
  * ash

1. one
2. two

| ship | masts |
|------|------:|
| Argo | 1     |

```python
print("<b>")
```

- [x] done
"""


def test_the_page_lists_agents_teams_and_workflows_with_what_they_do(page: Page, person: Person) -> None:
    page.goto(person.url)
    expect(page).to_have_url(re.compile("/chat$"))
    for kind in ("Agents", "Teams", "Workflows"):
        expect(page.get_by_role("heading", name=kind)).to_be_visible()
    card = page.locator(".cards").get_by_role("link", name="Assistant")
    expect(card).to_contain_text("has tools that add numbers")
    card.click()
    prompts = page.get_by_role("list", name="Try one of these").get_by_role("button")
    expect(prompts).to_have_count(3)
    prompts.first.click()
    turn = person.turns.first
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_have_text("add gave: 5.0")


def test_text_is_shown_as_markdown(page: Page, person: Person) -> None:
    with page.expect_request(re.compile(r"/runs$")) as sent:
        turn = person.asks("agents", "mirror", MARKDOWN)
    assert (sent.value.post_data_json or {})["message"] == MARKDOWN.strip()
    text = answer(turn)
    expect(text.locator("h1")).to_have_text("Ships")
    expect(text.locator("p em")).to_have_text("small")
    expect(text.locator("ul ul li")).to_have_text("ash")
    expect(text.locator("ol li")).to_have_text(["one", "two"])
    expect(text.get_by_role("cell")).to_have_text(["Argo", "1"])
    expect(text.locator(".code pre")).to_have_text('print("<b>")')
    expect(text.locator(".code .bar")).to_contain_text("python")
    link = text.get_by_role("link", name="a link")
    expect(link).to_have_attribute("href", "https://example.com/a?b=c")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(text.locator("li.task")).to_have_text("☑ done")
    assert person.heard.startswith("Mirror: Ships A small fleet, code, and a link.")
    assert "ship masts Argo 1" in person.heard
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name, copied in (("Copy the code", 'print("<b>")'), ("Copy the answer", MARKDOWN)):
        turn.get_by_role("button", name=name).click()
        expect(turn.get_by_role("button", name="Copied").first).to_be_focused()
        assert page.evaluate("navigator.clipboard.readText()").split() == copied.split()
        expect(turn.get_by_role("button", name="Copied")).to_have_count(0)


def test_text_is_shown_word_by_word(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    turn = person.says("[slow 300ms] a slow answer that takes its time")
    expect(answer(turn)).to_have_text(re.compile("I am the demo"))
    assert "time" not in (answer(turn).text_content() or "")
    expect(turn).to_have_attribute("aria-busy", "true")
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_have_text(re.compile(r"a slow answer that takes its time\s*$"))


def test_a_tool_is_shown_with_its_arguments_its_result_and_its_time(page: Page, person: Person) -> None:
    turn = person.asks("agents", "assistant", "add 2 and 3")
    tool = turn.locator(".tool")
    expect(tool.locator("summary")).to_contain_text("a: 2, b: 3")
    tool.locator("summary").click()
    expect(tool.locator("pre")).to_have_text([re.compile('"a": 2,\\s+"b": 3'), "5.0"])


def test_a_tool_that_failed_says_so(page: Page, person: Person) -> None:
    turn = person.asks("agents", "painter", 'call break_down {"reason": "no paint"}')
    tool = turn.locator(".tool")
    expect(tool).to_have_attribute("data-state", "error")
    tool.locator("summary").click()
    expect(tool).to_contain_text("no paint")


def test_a_teams_members_are_a_tree(page: Page, person: Person) -> None:
    turn = person.asks("teams", "desk", "ask newsroom: ask writer: hello there")
    expect(turn.locator(".tool summary").first).to_contain_text("Asked newsroom")
    outer = turn.locator(".answer > .parts > .node")
    expect(outer.locator("> summary .name")).to_have_text("Newsroom")
    outer.locator("> summary").click()
    inner = outer.locator(".node")
    expect(inner.locator("summary .name")).to_have_text("Writer")
    inner.locator("summary").click()
    expect(inner.locator(".text")).to_contain_text("you said: hello there")
    expect(answer(turn)).to_contain_text("hello there")


def test_a_workflows_steps_are_a_tree_with_progress_and_time(page: Page, person: Person) -> None:
    person.opens("workflows", "review")
    turn = person.says("[slow 150ms] a page of text")
    expect(turn.locator(".node[data-state=running]").first).to_be_visible()
    person.waits_for(turn, "completed")
    tree = turn.locator(".answer > .parts > .node")
    expect(tree.locator("> summary .name")).to_have_text(["read", "rounds"])
    expect(tree.first).to_have_attribute("data-state", "completed")
    tree.first.locator("> summary").click()
    steps = tree.first.locator(".node > summary .name")
    expect(steps.filter(has_text=re.compile("summary|count"))).to_have_count(2)
    expect(tree.first.locator("> summary .time")).to_have_text(re.compile(r"\d s$"))
    expect(answer(turn)).to_contain_text("a page of text")


def test_reasoning_is_shown_apart_from_the_answer(page: Page, person: Person) -> None:
    turn = person.asks("agents", "mirror", "think Seven.")
    expect(answer(turn)).to_have_text("Seven.")
    turn.get_by_text("Reasoning").click()
    expect(turn.locator(".reasoning .text")).to_have_text("First I count. Then I doubt.")


def test_a_medium_is_shown_when_somebody_asks_also_in_a_session_that_is_opened_again(
    page: Page, person: Person
) -> None:
    turn = person.asks("agents", "painter", 'call draw {"subject": "a ship"}')
    for _ in range(2):
        expect(turn.locator("img")).to_have_count(0)
        turn.get_by_role("button", name="Show the picture: drawing").first.click()
        image = turn.locator("img").first
        expect(image).to_be_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
        page.reload()
        turn = person.turns.first


def test_a_message_is_stopped_at_any_time(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    turn = person.says("[slow 200ms] one two three four five six seven eight nine ten " * 5)
    expect(answer(turn)).to_have_text(re.compile("I am"))
    page.get_by_role("button", name="Stop", exact=True).click()
    person.waits_for(turn, "cancelled")
    expect(turn.locator(".footer .state").last).to_have_text("Stopped")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    again = person.says("Hello again")
    person.waits_for(again, "completed")


def test_a_run_that_hangs_is_stopped_by_escape(page: Page, person: Person) -> None:
    person.opens("workflows", "letter")
    turn = person.says("[hang]")
    expect(turn.locator(".node").first).to_be_visible()
    page.keyboard.press("Escape")
    person.waits_for(turn, "cancelled")
