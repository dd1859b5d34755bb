"""Runs that wait for somebody: approve, refuse, fill in, give a result."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("verdict", "said"), [("Approve", "sent to Ada: Hi"), ("Refuse", "send_letter gave:")])
def test_a_tool_is_approved_or_refused(page: Page, person: Person, verdict: str, said: str) -> None:
    turn = person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    form = turn.get_by_role("form", name="The run waits for you")
    expect(form).to_contain_text("send_letter")
    expect(form.get_by_role("definition")).to_have_text(["Ada", "Hi"])
    form.get_by_label("Note").fill("because")
    form.get_by_role("button", name=verdict).click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text(said)
    assert ("sent to Ada" in (answer(turn).text_content() or "")) == (verdict == "Approve")


def test_a_field_is_filled_in(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call book_room {"room": "the library"}')
    turn.get_by_label("date").fill("Friday")
    turn.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("the library is booked for Friday")


def test_a_result_is_given(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call measure_temperature {"place": "attic"}')
    turn.get_by_label("Result").fill("31 degrees")
    turn.get_by_role("button", name="Continue").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("31 degrees")


def test_several_decisions_are_made_together(page: Page, person: Person) -> None:
    turn = person.asks(
        "agents", "clerk", 'call send_letter {"to": "A", "text": "1"}\ncall send_letter {"to": "B", "text": "2"}'
    )
    form = turn.get_by_role("form", name="The run waits for you")
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


def test_a_decision_that_was_made_elsewhere_is_followed(page: Page, person: Person) -> None:
    turn = person.asks("agents", "clerk", 'call send_letter {"to": "Ada", "text": "Hi"}')
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Approve").click()
    expect(other.locator(".turn")).to_have_attribute("data-state", "completed")
    turn.get_by_role("button", name="Refuse").click()
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text("sent to Ada: Hi")
