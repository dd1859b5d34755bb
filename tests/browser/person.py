"""What a person does at the page."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect


class Person:
    """Reads and writes in one tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def opens(self, kind: str, component: str, session: str = "") -> None:
        parts = [kind, component, *([session] if session else [])]
        self.page.goto(f"{self.url}/chat#/{'/'.join(map(quote, parts))}")
        expect(self.page.get_by_role("textbox", name="Message")).to_be_visible()

    def says(self, text: str) -> Locator:
        """Sends a message, and gives its turn."""
        before = self.turns.count()
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        turn = self.turns.nth(before)
        expect(turn).to_be_visible()
        return turn

    def asks(self, kind: str, component: str, text: str) -> Locator:
        """Opens a new chat, sends a message, and gives its turn when it has ended or waits."""
        self.opens(kind, component)
        turn = self.says(text)
        self.waits_for(turn, "completed|paused|error|cancelled")
        return turn

    @staticmethod
    def waits_for(turn: Locator, state: str) -> None:
        expect(turn).to_have_attribute("data-state", re.compile(f"^({state})$"), timeout=90_000)

    @property
    def turns(self) -> Locator:
        return self.page.locator(".turn")

    @property
    def session(self) -> str:
        """The id of the session that is open."""
        url: str = self.page.url
        return url.rpartition("/")[2]

    @property
    def heard(self) -> str:
        """What a screen reader was told last."""
        return self.page.get_by_role("status").text_content() or ""


def answer(turn: Locator) -> Locator:
    """The text of a turn's answer, without its members' and steps'."""
    return turn.locator(".answer > .parts > .text")
