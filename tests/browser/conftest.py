"""A real browser that shows the page of a local stack, and what a person does there.

Where Playwright is not installed, nothing here is collected: `make test-browser` has an environment of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.wire import Wire
from tests.local_stack import StackProcess, running_stack
from tests.process import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.browser.person import Person

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP: Any = {"width": 1280, "height": 800}


_figures: list[str] = []


@pytest.fixture
def figures() -> list[str]:
    """Lines about what was measured, which are printed in the end."""
    return _figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _figures:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - only in the environment of these tests

    expect.set_options(timeout=30_000)  # on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[StackProcess]:
    """The local stack with components that do what these tests are about, the samples among them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "tests/browser/toys/components.py", folder)
        shutil.copy(ROOT / "layers/components/components.py", folder / "samples.py")
        with running_stack(folder / "state", components=folder / "components.py") as stack:
            yield stack


@pytest.fixture
def wire(stack: StackProcess) -> Iterator[Wire]:
    """A way to the stack that a test can cut."""
    with Wire(stack.port) as wire:
        yield wire


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test if its script fails, if its policy is broken, or if it asks another host."""
    page = context.new_page()
    problems: list[str] = []
    hosts: set[str] = set()

    def heard(message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).host))
    yield page
    page.unroute_all(behavior="ignoreErrors")  # one that a test still holds would fail the next test
    assert problems == []
    assert hosts - {"", "127.0.0.1"} == set()


@pytest.fixture
def person(page: Page, stack: StackProcess) -> Person:
    """Somebody at the page of the stack."""
    from tests.browser.person import Person  # noqa: PLC0415 - imports Playwright

    return Person(page, stack.url)
