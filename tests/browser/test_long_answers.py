"""20,000 words in one answer: the main thread stays free."""

from __future__ import annotations

import json
from statistics import quantiles
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.person import Person, answer
from tests.waiting import until

pytestmark = pytest.mark.browser

WORDS = 20_000
ENDED = ".turn[data-state=completed]"
WHOLE = "document.querySelector('.answer .text').lastElementChild.textContent === 'the end'"
"""Asked of the browser itself: what Playwright expects of a text takes the page's own time."""
# CPU time of the thread, where the trace has it: what other processes take of the machine is not the page's.
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"]


def main_thread_tasks(trace: bytes) -> list[float]:
    """Milliseconds of each task of the page's main thread."""
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    threads = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        each
        for each in events
        if each["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and each["ph"] == "X"
        and (each["pid"], each["tid"]) in threads
    ]
    return [each.get("tdur", each["dur"]) / 1000 for each in tasks]


def judge(what: str, tasks: list[float], figures: list[str]) -> None:
    assert len(tasks) > 100
    percentile = quantiles(tasks, n=20)[-1]
    figures.append(
        f"20,000 words, {what}: {len(tasks)} tasks, 95 % under {percentile:.1f} ms, the longest {max(tasks):.0f} ms"
    )
    assert percentile < 50
    assert max(tasks) < 200


def test_a_long_question_leaves_room_for_its_answer(page: Page, person: Person) -> None:
    turn = person.asks("agents", "mirror", "\n".join(f"line {number}" for number in range(100)))
    height = turn.locator(".asked").evaluate("each => each.clientHeight")
    turn.get_by_role("button", name="Show all").click()
    assert turn.locator(".asked").evaluate("each => each.clientHeight") > 3 * height
    turn.get_by_role("button", name="Show less", expanded=True).click()
    assert turn.locator(".asked").evaluate("each => each.clientHeight") == height


def test_a_long_answer_arrives_and_is_opened_again(
    browser: Browser, page: Page, person: Person, figures: list[str]
) -> None:
    person.opens("agents", "mirror")
    browser.start_tracing(page=page, categories=CATEGORIES)
    turn = person.says(f"long {WORDS}")
    page.wait_for_selector(ENDED, timeout=90_000)
    page.wait_for_timeout(500)
    judge("while they arrive", main_thread_tasks(browser.stop_tracing()), figures)
    until(lambda: page.evaluate(WHOLE))
    headings = answer(turn).locator("h2").count()
    assert len((answer(turn).text_content() or "").split()) > WORDS
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.reload()
    page.wait_for_selector(ENDED, timeout=90_000)
    page.wait_for_timeout(4000)
    judge("opened again", main_thread_tasks(browser.stop_tracing()), figures)
    until(lambda: page.evaluate(WHOLE))
    assert answer(person.turns.first).locator("h2").count() == headings
