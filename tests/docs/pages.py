"""The documents of the project, and what they name."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers/agentos_lambda/agentos_lambda"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NOT_OURS = {".git", ".venvs", "node_modules", ".local", ".aws-sam", "__pycache__"}


def pages() -> list[Path]:
    """Every document that readers of the project see."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    """The page's path within the project."""
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text())


def blocks(page: Path, language: str = "") -> list[str]:
    """The page's fenced blocks in a language, in order."""
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


def code_spans(page: Path) -> list[str]:
    """What stands between backticks in the page's prose and tables, on one line each."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def named_files(page: Path) -> dict[str, str]:
    """Path -> content of each block that follows a line with nothing but the path."""
    found = re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return dict(found)


def paths(page: Path) -> Iterator[str]:
    """Paths of files and folders in the page's code spans, those of test ids included."""
    for span in code_spans(page):
        path = span.partition("::")[0]
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|toml|yaml|txt|json))|[\w.-]+/[\w/.-]+", path):
            yield path


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Path (empty: the page itself) and anchor of each link to a place within the project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def ids_of_tests(page: Path) -> Iterator[tuple[str, str]]:
    """File and function of each test that the page names. A function may end in ``…``."""
    for span in code_spans(page):
        path, separator, function = span.partition("::")
        if separator:
            yield path, function


def functions(path: Path) -> set[str]:
    """The names of all functions of a module."""
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def make_targets(page: Path) -> set[str]:
    """The targets of the page's ``make`` commands, in prose and in blocks of the shell."""
    lines = code_spans(page) + [line for block in blocks(page, "sh") for line in block.splitlines()]
    commands = "\n".join(re.sub(r"'[^']*'|#.*", "", line) for line in lines)
    found = re.findall(r"(?:^|\$\()(?:[A-Z_]+=\S* )*make(?: -s)? ([^)\n]*)", commands, re.MULTILINE)
    return {word for words in found for word in words.split() if re.fullmatch(r"[a-z0-9./-]+", word)}


def tree(page: Path, root: str) -> Iterator[str]:
    """The paths in the page's drawing of a folder: on each line a name, indented by its depth, and what it is."""
    [drawing] = [block for block in blocks(page) if block.startswith(f"{root}\n")]
    above: list[str] = []
    for line in drawing.splitlines()[1:]:
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[: depth - 1], line.split()[0]]
        yield "".join(above)


def files() -> Iterator[Path]:
    """All files of the project, without what is built or installed."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = set(folders) - _NOT_OURS  # what is installed has a hundred thousand files
        yield from (Path(folder, name) for name in names)
