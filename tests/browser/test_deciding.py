"""Runs that wait for somebody: approve, refuse, fill in, give a result."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("verdict", "said"), [("Approve", "sent to Ada: Hi"), ("Refuse", "send_letter gave:")])
def test_a_tool_is_approved_or_refused(page: Page, person: Person, verdict: str, said: str) -> None:
    turn = person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    form = turn.get_by_role("form", name="The run waits for you")
    expect(form.get_by_role("heading")).to_have_text("Clerk wants to call send_letter")
    expect(form.get_by_role("definition")).to_have_text(["Ada", "Hi"])
    form.get_by_label("Note").fill("because")
    page.keyboard.press("Enter")
    form.get_by_role("button", name=verdict).click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text(said)
    assert ("sent to Ada" in (answer(turn).text_content() or "")) == (verdict == "Approve")
    state = "completed" if verdict == "Approve" else "error"
    expect(turn.locator(".tool")).to_have_attribute("data-state", state)


def test_a_field_is_filled_in(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call book_room {"room": "the library"}')
    turn.get_by_label("date").fill("Friday")
    turn.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("the library is booked for Friday")


def test_a_list_is_filled_in_and_a_text_that_may_be_left_out_is_not(page: Page, person: Person) -> None:
    turn = person.asks("agents", "painter", 'call paint {"subject": "a ship"}')
    colours = turn.get_by_label("colours")
    colours.fill("red, blue")
    turn.get_by_role("button", name="Continue").click()
    expect(colours).to_have_js_property("validationMessage", "This is written as JSON.")
    colours.fill('["red", "blue"]')
    turn.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_have_text("paint gave: a ship in red and blue")


def test_a_step_that_failed_is_tried_again_then_left_out(page: Page, person: Person) -> None:
    turn = person.asks("workflows", "risky", "a page")
    for verdict in ("Approve", "Refuse"):
        expect(turn.get_by_text("The step failed: no ink. Approve to try it again")).to_be_visible()
        turn.get_by_role("button", name=verdict).click()
        state = "paused" if verdict == "Approve" else "completed"
        expect(turn.locator(".node")).to_have_count(2)
        person.waits_for(turn, state)
    expect(turn.locator(".node[data-state=error]")).to_have_count(2)


def test_a_result_is_given(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call measure_temperature {"place": "attic"}')
    turn.get_by_label("Result").fill("31 degrees")
    turn.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("31 degrees")
    tool = turn.locator(".tool")
    expect(tool).to_have_attribute("data-state", "completed")
    tool.locator("summary").click()
    expect(tool.locator(".result")).to_contain_text("31 degrees")


def test_several_decisions_are_made_together(page: Page, person: Person) -> None:
    turn = person.asks(
        "agents", "clerk", 'call send_letter {"to": "A", "text": "1"}\ncall send_letter {"to": "B", "text": "2"}'
    )
    form = turn.get_by_role("form", name="The run waits for you")
    expect(form.get_by_role("radiogroup", name="Clerk wants to call send_letter")).to_have_count(2)
    form.get_by_role("radio", name="Approve").first.check()
    form.get_by_role("radio", name="Refuse").last.check()
    form.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("sent to A: 1")
    expect(answer(turn)).not_to_contain_text("sent to B")


def test_a_member_of_a_team_waits_in_a_session_that_is_opened_again(page: Page, person: Person) -> None:
    turn = person.asks("teams", "desk", 'ask clerk: call send_letter {"to": "Ada", "text": "Hi"}')
    person.waits_for(turn, "paused")
    page.reload()
    turn = person.turns.first
    person.waits_for(turn, "paused")
    turn.get_by_role("button", name="Approve").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("sent to Ada: Hi")
    letter = turn.locator(".tool").filter(has_text="send_letter").filter(has_not_text="Asked clerk")
    expect(letter).to_have_count(1)
    expect(letter).to_have_attribute("data-state", "completed")


def test_the_output_of_a_step_is_refused_then_changed_and_approved(page: Page, person: Person) -> None:
    turn = person.asks("workflows", "newsletter", "agents without servers")
    turn.get_by_label("Note").fill("shorter")
    turn.get_by_role("button", name="Refuse").click()
    expect(turn.locator(".node > summary .name")).to_have_count(4)  # the step and its agent, twice
    person.waits_for(turn, "paused")
    turn.get_by_label("Its text, which you may change").fill("A short text")
    turn.get_by_role("button", name="Approve").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("A short text")
    expect(answer(turn)).to_contain_text("Posted by the workflow")
    expect(turn.locator(".node:not([data-state=completed])")).to_have_count(0)


def test_a_decision_that_comes_too_late_is_told_and_the_other_one_followed(
    browser: Browser, page: Page, person: Person
) -> None:
    """The other one is made in a browser that tells this one nothing, while the session is opened again here."""
    person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    page.reload()
    turn = person.turns.first
    note = turn.get_by_label("Note")
    note.fill("not today")
    page.route(re.compile("/continue$"), lambda route: route.abort())
    turn.get_by_role("button", name="Refuse").click()
    expect(turn.locator(".notice.failure")).to_contain_text("The API cannot be reached")
    expect(note).to_have_value("not today")
    page.unroute_all()
    elsewhere = browser.new_context().new_page()
    elsewhere.goto(page.url)
    elsewhere.get_by_role("button", name="Approve").click()
    expect(elsewhere.locator(".turn")).to_have_attribute("data-state", "completed")
    elsewhere.context.close()
    turn.get_by_role("button", name="Refuse").click()
    expect(turn.get_by_text("Your answer came too late and was not used. It was decided elsewhere.")).to_be_visible()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_have_text("send_letter gave: sent to Ada: Hi")
    expect(turn.locator(".tool")).to_have_count(1)


def test_a_decision_in_another_tab_is_followed_in_this_one(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    other = page.context.new_page()
    other.goto(f"{person.url}/chat")
    waiting = other.locator(".runs li")
    expect(waiting).to_contain_text("Waits for you")
    waiting.get_by_role("link").click()
    expect(other.get_by_role("button", name="Approve")).to_be_visible()
    expect(turn.get_by_text("It was decided elsewhere.")).to_have_count(0)
    other.get_by_role("button", name="Approve").click()
    person.waits_for(turn, "completed")
    expect(turn.get_by_text("It was decided elsewhere.")).to_be_visible()
    expect(answer(turn)).to_contain_text("sent to Ada: Hi")
    expect(page.locator(".runs li")).to_have_count(0)
