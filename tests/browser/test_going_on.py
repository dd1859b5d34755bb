"""Reloads, lost connections, background runs: a run goes on, and so does the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.person import Person, answer
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser

NUMBERS = " ".join(f"n{number}" for number in range(100))
SLOW = f"[slow 100ms] {NUMBERS}"
"""Ten seconds, in which a page is loaded again on a busy machine, too."""


@pytest.mark.parametrize(
    ("kind", "component"), [("agents", "assistant"), ("teams", "newsroom"), ("workflows", "letter")]
)
def test_a_reload_in_the_middle_of_a_run_loses_and_repeats_no_word(
    page: Page, person: Person, kind: str, component: str
) -> None:
    person.opens(kind, component)
    turn = person.says(SLOW)
    expect(turn.locator(".answer")).to_contain_text("n5")
    page.reload()
    turn = person.turns.first
    expect(turn.locator(".answer")).to_contain_text("n5")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    person.waits_for(turn, "completed")
    assert re.findall(r"n\d+", answer(turn).text_content() or "") == NUMBERS.split()


def test_a_reload_after_a_decision_finds_the_run_that_goes_on(page: Page, person: Person) -> None:
    letter = 'call send_letter {"to": "Ada", "text": "' + NUMBERS + '"}'
    turn = person.asks("agents", "clerk", f"[slow 100ms]\n{letter}")
    waiting = page.locator(".runs small .state")
    expect(waiting).to_have_text("Waits for you")
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    turn.get_by_role("button", name="Approve").click()
    expect(answer(turn)).to_contain_text("n5")
    expect(waiting).to_have_text("Running")
    page.reload()
    turn = person.turns.first
    person.waits_for(turn, "completed")
    assert re.findall(r"n\d+", answer(turn).text_content() or "") == NUMBERS.split()
    expect(turn.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_connection_that_is_lost_is_taken_up_without_losing_or_repeating_a_word(page: Page, wire: Wire) -> None:
    person = Person(page, wire.url)
    person.opens("agents", "assistant")
    turn = person.says(SLOW)
    expect(answer(turn)).to_contain_text("n5")
    wire.cut()
    expect(turn.locator(".notice")).to_contain_text("The connection was lost")
    assert "The connection was lost" in person.heard
    wire.mend()
    person.waits_for(turn, "completed")
    expect(turn.locator(".notice")).to_be_hidden()
    assert re.findall(r"n\d+", answer(turn).text_content() or "") == NUMBERS.split()


def test_a_message_whose_answer_never_came_is_sent_once(page: Page, wire: Wire) -> None:
    person = Person(page, wire.url)
    person.opens("agents", "assistant")
    sent: list[str] = []

    def lose_the_answer(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) == 1:
            page.request.post(
                route.request.url,
                headers=route.request.headers,
                data=route.request.post_data_buffer or b"",
            )
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile(r"/runs$"), lose_the_answer)
    turn = person.says("add 2 and 3")
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_have_text("add gave: 5.0")
    page.reload()
    expect(person.turns).to_have_count(1)


def test_a_stream_that_ends_before_its_run_is_taken_up(page: Page, person: Person) -> None:
    """A run that goes on in another function: its first stream ends with a comment, and without a terminal event."""

    def end_early(route: Route) -> None:
        whole = route.fetch().text()
        frames = whole.split("\n\n")
        route.fulfill(content_type="text/event-stream", body="\n\n".join(frames[:9]) + "\n\n: the run goes on\n\n")

    page.route(re.compile(r"/runs$"), end_early)
    person.opens("agents", "assistant")
    turn = person.says(f"Say {NUMBERS}")
    person.waits_for(turn, "completed")
    assert re.findall(r"n\d+", answer(turn).text_content() or "") == NUMBERS.split()


def test_a_background_run_shows_its_state_wherever_one_is(page: Page, person: Person) -> None:
    person.opens("teams", "newsroom")
    page.get_by_label("In the background").check()
    turn = person.says(SLOW)
    session = person.session
    expect(answer(turn)).to_contain_text("n3")
    page.get_by_role("link", name="New chat").click()
    runs = page.locator(".runs li")
    expect(runs).to_contain_text("in the background")
    expect(runs.locator(".state")).to_have_text("Running")
    runs.get_by_role("link").click()
    assert person.session == session
    turn = person.turns.first
    person.waits_for(turn, "completed")
    expect(page.get_by_role("heading", name="Running")).to_be_hidden()
    assert re.findall(r"n\d+", answer(turn).text_content() or "") == NUMBERS.split()


def test_a_run_that_ends_while_one_is_elsewhere_leaves_the_list(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    turn = person.says(SLOW)
    expect(turn).to_contain_text("I am")
    page.get_by_role("link", name="New chat").click()
    expect(page.locator(".runs li")).to_have_count(1)
    expect(page.locator(".runs li")).to_have_count(0, timeout=90_000)
