"""Two tabs of one browser at the same API: what one does, the other shows, and nothing is lost between them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser

NUMBERS = " ".join(f"n{number}" for number in range(1500))
SLOW = f"[slow 100ms] {NUMBERS}"
"""Minutes, of which a test takes what it needs, on a busy machine, too."""


@pytest.fixture
def other(page: Page, person: Person) -> Person:
    """The same person in another tab."""
    return Person(page.context.new_page(), person.url)


def test_a_run_is_followed_and_stopped_in_another_tab(person: Person, other: Person) -> None:
    person.asks("agents", "companion", "say the first")
    other.opens("agents", "companion", person.session)
    expect(other.turns).to_have_count(1)
    turn = person.says(SLOW)
    expect(answer(other.turns.nth(1))).to_contain_text("n3")
    other.page.reload()
    expect(answer(other.turns.nth(1))).to_contain_text("n3")
    for tab in (person, other):
        expect(tab.page.locator(".runs li")).to_have_count(1)
    other.page.get_by_role("button", name="Stop", exact=True).click()
    for each in (turn, other.turns.nth(1)):
        person.waits_for(each, "cancelled")
    said = [answer(each).text_content() for each in (turn, other.turns.nth(1))]
    assert said[0] == said[1]
    for tab in (person, other):
        expect(tab.page.locator(".runs li")).to_have_count(0)
        expect(tab.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_session_is_renamed_and_deleted_in_another_tab(person: Person, other: Person) -> None:
    """In the middle of a run: the text stays, and the next message does not go into a session that is gone."""
    person.asks("agents", "companion", "Keep a secret.")
    session = person.session
    other.opens("agents", "companion", session)
    item = other.page.locator(f'.sessions li:has([data-session="{session}"])')
    item.hover()
    item.get_by_role("button", name="Rename").click()
    other.page.get_by_label("Name", exact=True).fill("Secrets")
    other.page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(person.page.locator(f'[data-session="{session}"] .title')).to_have_text("Secrets")

    turn = person.says(SLOW)
    expect(answer(turn)).to_contain_text("n3")
    item.hover()
    item.get_by_role("button", name="Delete").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(person.page.get_by_text("This session was deleted elsewhere.").first).to_be_visible()
    person.waits_for(turn, "cancelled")
    expect(answer(turn)).to_contain_text("n3")
    expect(person.page.locator(f'[data-session="{session}"]')).to_have_count(0)
    person.page.get_by_role("textbox", name="Message").fill("What did I say?")
    person.page.keyboard.press("Enter")
    expect(person.turns).to_have_count(1)
    person.waits_for(person.turns.first, "completed")
    assert person.session != session
    expect(answer(person.turns.first)).not_to_contain_text("secret")


def test_what_is_not_sent_waits_in_its_tab_and_at_its_address(page: Page, person: Person, other: Person) -> None:
    message = page.get_by_role("textbox", name="Message")
    person.opens("agents", "clerk")
    message.fill("Dear Ada")
    page.locator("input[type=file]").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    other.opens("agents", "clerk")
    expect(other.page.get_by_role("textbox", name="Message")).to_have_value("")
    person.opens("agents", "companion")
    expect(message).to_have_value("")
    expect(page.locator(".composer .files li")).to_have_count(0)
    page.go_back()
    expect(message).to_have_value("Dear Ada")
    expect(page.locator(".composer .files li")).to_have_count(1)
    page.reload()
    expect(message).to_have_value("Dear Ada")
    message.press("Enter")
    expect(person.turns.first).to_contain_text("Dear Ada")
    expect(message).to_have_value("")
    page.go_back()
    expect(page).to_have_url(re.compile("clerk$"))
    expect(message).to_have_value("")
