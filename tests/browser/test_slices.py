"""Runs that are longer than a function may be: each slice in another invocation, and the page sees one run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer
from tests.local_stack import running_stack
from tests.process import ROOT

pytestmark = pytest.mark.browser


def test_a_run_goes_on_in_another_slice_without_losing_or_repeating_a_word(page: Page, tmp_path: Path) -> None:
    variables = {"SLICE_SECONDS": "1", "WORK_LOG": str(tmp_path / "log")}
    endings: list[str] = []
    components = ROOT / "tests/slices/components.py"
    with running_stack(tmp_path / "state", variables, components=components, sweeps=1) as stack:
        person = Person(page, stack.url)
        page.on("request", lambda request: endings.append(request.url) if request.url.endswith("/resume") else None)
        person.opens("agents", "worker")
        turn = person.says("go")
        person.waits_for(turn, "completed")
        said = " ".join(answer(turn).all_text_contents())
        expect(turn.locator(".tool")).to_have_count(12)
    assert re.findall(r"step \d+|done", said) == [*(f"step {number}" for number in range(12)), "done"]
    assert endings, "the first stream had the whole run"
