"""What the documents name is there: paths, links, tests, make targets, log lines. And they are in plain English."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import PACKAGE, ROOT

FOLDERS = (ROOT, PACKAGE, ROOT / "tests/faults", ROOT / "layers/agentos_lambda")
"""Where a document's paths may begin."""

MADE = {
    "manifest.json",
    "local.json",
    "local-variables.json",
    ".local/",
    ".local/cloud",
    ".local/sam/build/",
    "tests/components",
}
"""What builds, starts and users make."""

NOT_PATHS = {"pydantic/v1", "application/pdf", "application/octet-stream"}

ARCHITECTURE = ROOT / "docs/architecture.md"

every_page = pytest.mark.parametrize("page", pages.pages(), ids=pages.name)


@cache
def file_names() -> frozenset[str]:
    return frozenset(path.name for path in pages.files())


@cache
def sources() -> str:
    """Everything that writes log lines and messages, as one text."""
    folders = [ROOT / "layers", ROOT / "functions", ROOT / "local", ROOT / "scripts"]
    return "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))


def is_there(path: str) -> bool:
    if any((folder / path).exists() for folder in FOLDERS):
        return True
    return "/" not in path and path in file_names()


@every_page
def test_every_path_exists(page: Path) -> None:
    exempt = MADE | NOT_PATHS | pages.named_files(page).keys()
    assert [path for path in pages.paths(page) if path not in exempt and not is_there(path)] == []


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in pages.links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in pages.anchors(target), f"{path}#{anchor}"


@every_page
def test_every_test_exists(page: Path) -> None:
    for path, function in pages.ids_of_tests(page):
        [module] = [folder / path for folder in FOLDERS if (folder / path).is_file()]
        prefix = function.removesuffix("…")
        known = pages.functions(module)
        assert function in known or (prefix != function and any(each.startswith(prefix) for each in known)), function


def test_every_make_target_exists() -> None:
    targets = set().union(*map(pages.make_targets, pages.pages()))
    assert {"run", "test", "e2e", "deploy"} <= targets
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--dry-run", *targets]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "No rule to make target" not in done.stderr, done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md", "docs/reliability.md", "docs/streaming.md"])
def test_every_message_that_is_quoted_can_be_found_in_the_source(page: str) -> None:
    commands = ("make ", "sam ", "pip ")
    messages = [span for span in pages.code_spans(ROOT / page) if re.fullmatch(r"[a-z]+( [a-z]+)+", span)]
    assert [each for each in messages if not each.startswith(commands) and each not in sources()] == []


@every_page
def test_cannot_is_one_word(page: Path) -> None:
    assert re.findall(r"(?i)\bcan\s+not\b", page.read_text()) == []


def test_the_layout_of_the_package_is_the_documented_one() -> None:
    drawn = list(pages.tree(ARCHITECTURE, "agentos_lambda/"))
    rooms = [f"{path.parent.relative_to(PACKAGE)}/" for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    assert sorted(drawn) == sorted(rooms)


def test_the_layout_of_the_local_stack_is_the_documented_one() -> None:
    drawn = list(pages.tree(ARCHITECTURE, "local/"))
    rooms = [f"{path.parent.name}/" for path in (ROOT / "local").glob("*/__init__.py")]
    assert all((ROOT / "local" / path).exists() for path in drawn)
    assert set(rooms) <= set(drawn)


def test_the_glossary_has_fifteen_words() -> None:
    glossary = ARCHITECTURE.read_text().partition("\n## Glossary\n")[2]
    words = [line.split("|")[1].strip() for line in glossary.splitlines() if line.startswith("|")][2:]
    assert len(words) == len(set(words)) == 15


@every_page
def test_a_page_names_no_machine_and_no_registry(page: Path) -> None:
    assert re.findall(r"/home/|/root/|/tmp/\w|/work/|index-url", page.read_text()) == []
