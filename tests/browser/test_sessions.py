"""The sessions of the side: list, search, rename, delete, paging, opening again."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.person import Person, answer
from tests.local_stack import StackProcess
from tests.waiting import until

pytestmark = pytest.mark.browser


def test_a_session_is_listed_renamed_found_opened_again_and_deleted(page: Page, person: Person) -> None:
    turn = person.asks("agents", "companion", "My name is Ada.")
    session = page.locator(".sessions li").filter(has_text="My name is Ada.").first
    expect(session).to_contain_text("Companion")
    expect(session.locator("time")).to_have_text(re.compile(r"\d:\d\d"))
    session.hover()
    session.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Harbour talk")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.locator(".sessions .title").filter(has_text="Harbour talk")).to_be_visible()
    expect(page.get_by_role("button", name="Rename Harbour talk", exact=True)).to_be_focused()

    page.get_by_role("link", name="New chat").click()
    page.get_by_label("Search sessions").fill("harbour")
    expect(page.locator(".sessions li")).to_have_count(1)
    page.locator(".sessions a").click()
    expect(answer(turn)).to_contain_text("you said: My name is Ada.")
    expect(page.locator(".sessions a")).to_have_attribute("aria-current", "page")
    again = person.says("what did I say?")
    person.waits_for(again, "completed")
    expect(answer(again)).to_contain_text("My name is Ada.")

    session = page.locator(".sessions li").filter(has_text="Harbour talk")
    session.hover()
    session.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".sessions li")).to_have_count(0)
    expect(person.turns).to_have_count(0)
    assert httpx.get(f"{person.url}/sessions?session_name=harbour").json()["data"] == []


def test_nothing_is_deleted_without_being_asked_about(page: Page, person: Person) -> None:
    person.asks("agents", "companion", "Stay here.")
    session = page.locator(".sessions li").filter(has_text="Stay here.").first
    session.hover()
    session.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", description=re.compile("“Stay here.” and its runs will be gone"))
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(session).to_be_visible()


def test_what_cannot_be_deleted_is_told(page: Page, person: Person) -> None:
    person.asks("agents", "companion", "Stay there.")
    session = page.locator(".sessions li").filter(has_text="Stay there.").first
    page.route(re.compile(r"/sessions/"), lambda route: route.abort())
    session.hover()
    session.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("navigation")).to_contain_text("The API cannot be reached.")
    expect(session).to_be_visible()


def test_a_list_that_comes_late_undoes_no_change(page: Page, person: Person) -> None:
    """One that was asked for before a session was renamed, and before it was deleted."""
    person.asks("agents", "companion", "Too late.")
    search, sessions = page.get_by_label("Search sessions"), page.locator(".sessions li")
    search.fill("Too late")
    expect(sessions).to_have_count(1)
    late: list[tuple[Route, APIResponse]] = []
    page.route(re.compile(r"/sessions\?"), lambda route: late.append((route, route.fetch())))

    def ask_for_a_list(name: str) -> tuple[Route, APIResponse]:
        search.fill(name)
        until(lambda: page.evaluate("0") == 0 and late)
        return late.pop()

    def answer_late(asked: tuple[Route, APIResponse]) -> None:
        route, response = asked
        with page.expect_response(route.request.url):
            route.fulfill(response=response)

    asked = ask_for_a_list("Too")
    sessions.hover()
    sessions.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("Too long")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    until(lambda: page.evaluate("0") == 0 and late)
    answer_late(asked)
    answer_late(late.pop())
    expect(sessions.locator(".title")).to_have_text("Too long")
    asked = ask_for_a_list("Too l")
    sessions.hover()
    sessions.get_by_role("button", name="Delete Too long").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(sessions).to_have_count(0)
    answer_late(asked)
    expect(sessions).to_have_count(0)


def test_what_is_sent_while_a_session_loads_comes_once_and_last(page: Page, person: Person) -> None:
    person.asks("agents", "assistant", "say the first")
    session = person.session
    page.goto("about:blank")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/runs\?"), hold)
    person.opens("agents", "assistant", session)
    person.waits_for(person.says("say the second"), "completed")
    held[0].continue_()
    asked = page.locator(".turn .asked")
    expect(asked).to_have_text(["say the first", "say the second"])


def test_a_session_whose_component_is_gone_is_listed_and_can_be_deleted(
    page: Page, person: Person, stack: StackProcess
) -> None:
    body = {"session_id": "left-behind", "agent_id": "not-there", "session_name": "Left behind"}
    httpx.post(f"{stack.url}/sessions", json=body, timeout=60).raise_for_status()
    page.goto(f"{stack.url}/chat")
    item = page.get_by_role("navigation").get_by_role("listitem").filter(has_text="Left behind")
    expect(item).to_contain_text("Its component is not served")
    expect(item.get_by_role("link")).to_have_count(0)
    item.hover()
    item.get_by_role("button", name="Delete Left behind").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(item).to_have_count(0)


def test_the_list_has_pages(page: Page, person: Person) -> None:
    for number in range(23):
        body = {"session_name": f"leaf {number}", "agent_id": "companion"}
        httpx.post(f"{person.url}/sessions", json=body).raise_for_status()
    until(lambda: httpx.get(f"{person.url}/sessions?session_name=leaf").json()["meta"]["total_count"] == 23)
    page.goto(f"{person.url}/chat")
    with page.expect_response(lambda answer: "session_name=leaf" in answer.url):
        page.get_by_label("Search sessions").fill("leaf")
    expect(page.locator(".sessions li").filter(has_text="leaf")).to_have_count(20)
    elsewhere = page.locator(".sessions [data-session]").nth(1).get_attribute("data-session")
    httpx.delete(f"{person.url}/sessions/{elsewhere}", timeout=60).raise_for_status()
    until(lambda: httpx.get(f"{person.url}/sessions?session_name=leaf").json()["meta"]["total_count"] == 22)
    page.get_by_role("button", name="Show more", exact=True).click()
    expect(page.locator(".sessions li")).to_have_count(22)
    expect(page.get_by_role("button", name="Show more", exact=True)).to_be_hidden()
    expect(page.locator(".sessions li").nth(19).get_by_role("link")).to_be_focused()
    names = page.locator(".sessions .title").all_text_contents()
    assert sorted(names) == sorted(f"leaf {number}" for number in range(23) if number != 21)
    newest = page.locator(".sessions [data-session]").first.get_attribute("data-session")
    name = {"session_name": "leaf anew"}
    httpx.post(f"{person.url}/sessions/{newest}/rename", json=name, timeout=60).raise_for_status()
    until(lambda: "leaf anew" in httpx.get(f"{person.url}/sessions?session_name=leaf", timeout=60).text)
    page.evaluate("""() => new BroadcastChannel('["agentos","",null]').postMessage({type: "changed"})""")
    expect(page.locator(".sessions .title").filter(has_text="leaf anew")).to_have_count(1)
    expect(page.locator(".sessions li")).to_have_count(22)


def test_what_is_opened_again_looks_as_it_did(page: Page, person: Person) -> None:
    for kind, component, text in (
        ("agents", "assistant", "add 2 and 3"),
        ("teams", "newsroom", "ask writer: hello"),
        ("workflows", "letter", "to the editor"),
    ):
        turn = person.asks(kind, component, text)
        seen = "details, .asked, .answer > .parts > .text"
        before = turn.locator(seen).evaluate_all(
            "all => all.map(each => [each.className, each.querySelector('.name, .short')?.textContent])"
        )
        said = answer(turn).text_content()
        page.reload()
        turn = person.turns.first
        person.waits_for(turn, "completed")
        expect(answer(turn)).to_have_text(said or "")
        assert (
            turn.locator(seen).evaluate_all(
                "all => all.map(each => [each.className, each.querySelector('.name, .short')?.textContent])"
            )
            == before
        )
