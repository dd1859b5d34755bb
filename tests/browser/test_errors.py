"""What goes wrong, and whether the page says what to do."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.person import Person, answer
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (413, {"detail": "Over 6 MB.", "error_code": "PAYLOAD_TOO_LARGE"}, "Over 6 MB. Send fewer or smaller files"),
        (404, {"detail": "Session not found", "error_code": "NOT_FOUND"}, "Session not found. It was deleted"),
        (501, {"detail": "Not served", "error_code": "NOT_IMPLEMENTED"}, "This API does not serve that"),
        (
            403,
            {"detail": "Required scope: agents:run", "error_code": "FORBIDDEN"},
            "Required scope: agents:run. Ask for",
        ),
        (500, {"detail": "Internal server error", "error_code": "INTERNAL_ERROR"}, "its log says why"),
        (422, {"detail": "message: Field required", "error_code": "VALIDATION_ERROR"}, "message: Field required."),
    ],
)
def test_an_error_says_what_to_do(page: Page, person: Person, status: int, body: dict[str, str], said: str) -> None:
    person.opens("agents", "assistant")
    page.route(re.compile(r"/runs$"), lambda route: route.fulfill(status=status, json=body))
    turn = person.says("Hello")
    person.waits_for(turn, "error")
    expect(turn.locator(".notice")).to_contain_text(said)
    page.unroute_all()
    turn.get_by_role("button", name="Send it again").click()
    person.waits_for(person.turns.nth(1), "completed")


def test_a_throttled_message_is_sent_when_the_api_says(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    answers = [429, 503]

    def throttle(route: Route) -> None:
        if answers:
            body = json.dumps({"detail": "Too many runs are waiting", "error_code": "TOO_MANY_REQUESTS"})
            route.fulfill(status=answers.pop(), headers={"Retry-After": "1"}, body=body)
        else:
            route.continue_()

    page.route(re.compile(r"/runs$"), throttle)
    turn = person.says("add 2 and 3")
    expect(turn.locator(".notice")).to_be_visible()
    person.waits_for(turn, "completed")
    expect(turn.locator(".notice")).to_be_hidden()
    expect(answer(turn)).to_have_text("add gave: 5.0")


def test_a_limit_that_lasts_for_weeks_is_told_and_not_waited_for(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    body = json.dumps({"detail": "The limit runs_per_month of 5 is reached", "error_code": "LIMIT_REACHED"})
    page.route(
        re.compile(r"/runs$"), lambda route: route.fulfill(status=429, headers={"Retry-After": "1900800"}, body=body)
    )
    turn = person.says("Hello")
    person.waits_for(turn, "error")
    expect(turn.locator(".notice")).to_contain_text("The limit runs_per_month of 5 is reached. Try again in 22 days.")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_throttled_message_is_taken_back_by_stop(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    sent: list[Route] = []

    def throttle(route: Route) -> None:
        sent.append(route)
        route.fulfill(status=429, headers={"Retry-After": "50"}, body=json.dumps({"detail": "Too many runs wait"}))

    page.route(re.compile(r"/runs$"), throttle)
    turn = person.says("add 2 and 3")
    expect(turn.locator(".notice")).to_have_text("Too many runs wait. Trying again …")
    page.get_by_role("button", name="Stop", exact=True).click()
    person.waits_for(turn, "cancelled")
    expect(turn.locator(".notice")).to_be_hidden()
    assert len(sent) == 1


def test_a_message_that_fails_after_its_page_was_left_is_given_back(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/runs$"), hold)
    person.says("Dear Ada")
    page.get_by_role("link", name="New chat").click()
    expect(page.locator(".cards")).not_to_have_count(0)
    held[0].fulfill(status=413, json={"detail": "The request is over 6 MB", "error_code": "PAYLOAD_TOO_LARGE"})
    notice = page.locator(".notices")
    expect(notice).to_contain_text("Your message to Assistant was not sent: This is too large.")
    assert "was not sent" in person.heard
    assert page.locator(".scroller").evaluate("each => each.scrollTop") == 0
    notice.get_by_role("link", name="Write it again").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Dear Ada")
    expect(notice).to_be_empty()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def test_a_run_that_fails_while_one_is_elsewhere_is_told(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    turn = person.says("[slow 500ms] one two three four five six seven eight nine ten")
    expect(answer(turn)).to_contain_text("I")
    session = person.session
    page.route(re.compile(r"/runs/\w+$"), lambda route: route.fulfill(json={"status": "ERROR"}))
    page.get_by_role("link", name="New chat").click()
    notice = page.locator(".notices")
    expect(notice).to_contain_text("Assistant failed")
    page.unroute_all()
    notice.get_by_role("link", name="See why").click()
    expect(page).to_have_url(re.compile(f"{session}$"))
    expect(page.locator(".runs li")).to_have_count(0)


def test_a_message_is_taken_back_while_the_api_is_away(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    page.route(re.compile(r"/runs"), lambda route: route.abort())
    turn = person.says(f"[slow 500ms] {'word ' * 120}")
    expect(turn.locator(".notice")).to_contain_text("Your message is kept")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(turn.locator(".footer .state")).to_have_text("Stopping")
    page.unroute_all()
    person.waits_for(turn, "cancelled")


def test_a_message_is_sent_again_with_its_files(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    sent: list[bytes] = []

    def fail(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.fulfill(status=500, json={"detail": "Internal server error", "error_code": "INTERNAL_ERROR"})

    page.route(re.compile(r"/runs$"), fail)
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"the harbour at dawn"}
    page.locator("input[type=file]").set_input_files(file)
    turn = person.says("Read this")
    turn.get_by_role("button", name="Send it again", exact=True).click()
    person.waits_for(person.turns.nth(1), "error")
    assert [b"the harbour at dawn" in body for body in sent] == [True, True]


def test_a_run_that_fails_says_why(page: Page, person: Person) -> None:
    turn = person.asks("agents", "assistant", "[fail the model has no credit]")
    expect(turn.locator(".notice")).to_contain_text("the model has no credit")
    turn = person.asks("workflows", "broken", "print")
    expect(turn.locator(".node").first).to_have_attribute("data-state", "error")


def test_a_run_that_is_lost_is_not_waited_for(page: Page, person: Person) -> None:
    page.goto(f"{person.url}/chat/licences.txt")  # of the same origin, and without the page, which would write it too
    page.evaluate(
        """() => sessionStorage.setItem("agentos.runs", JSON.stringify([{kind: "agents", component: "assistant",
        session: "lost", run: "never-began", message: "Hello?", files: [], background: true, startedAt: 0}]))"""
    )
    page.goto(f"{person.url}/chat#/agents/assistant/lost")
    turn = person.turns.first
    person.waits_for(turn, "error")
    expect(turn.locator(".notice.failure")).to_contain_text("The API does not know this run")
    page.reload()
    expect(person.turns).to_have_count(0)


def test_an_api_that_cannot_be_reached_can_be_tried_again(page: Page, wire: Wire) -> None:
    page.route("**/config", lambda route: route.abort())
    page.goto(f"{wire.url}/chat")
    expect(page.get_by_text("The API cannot be reached")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_be_hidden()
    page.unroute_all()
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.locator(".cards a").first).to_be_visible()


def test_what_cannot_be_read_can_be_tried_again(page: Page, person: Person) -> None:
    person.asks("agents", "assistant", "add 2 and 3")
    page.route(re.compile(r"/(sessions|runs)\?"), lambda route: route.abort())
    page.reload()
    for place in (page.get_by_role("navigation"), page.get_by_role("main")):
        expect(place.get_by_text("The API cannot be reached")).to_be_visible()
    page.unroute_all()
    for place in (page.get_by_role("navigation"), page.get_by_role("main")):
        place.get_by_role("button", name="Try again").click()
        expect(place.get_by_text("The API cannot be reached")).to_have_count(0)
    expect(answer(person.turns.first)).to_have_text("add gave: 5.0")
    expect(page.locator(".sessions a[aria-current]")).to_contain_text("add 2 and 3")
