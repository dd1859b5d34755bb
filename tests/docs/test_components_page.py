"""docs/components.md: its example is what it says, its tests pass, and its commands keep a clone up to date."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agentos_lambda.engine.components.kept import table
from tests.docs import pages
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/components.md"
IN_LAYER = "layers/components/"
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "nobody@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def shell(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AGENTOS_", "PYTEST", "GIT_"))
    }
    command = ["sh", "-euc", script]
    return subprocess.run(command, cwd=cwd, env=inherited | variables, capture_output=True, text=True, check=False)


def block(words: str) -> str:
    """The page's commands that have these words in them."""
    [found] = [each for each in pages.blocks(PAGE, "sh") if words in each]
    return found


def write(files: dict[str, str], folder: Path) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project with the page's example in it, as far as its tests and components need it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "layers/agentos_lambda", tmp_path / "layers/agentos_lambda")
    (tmp_path / ".venvs").symlink_to(ROOT / ".venvs")
    write(pages.named_files(PAGE), tmp_path)
    return tmp_path


def test_the_page_s_tests_pass_as_they_are_printed(clone: Path) -> None:
    done = shell(block("-m pytest"), clone, AGENTOS_MODEL="openai:gpt-5-mini")

    printed = pages.named_files(PAGE)["tests/components/test_station.py"].count("\ndef test_")
    assert f"{printed} passed" in done.stdout, done.stdout + done.stderr


def test_the_page_s_components_are_described(clone: Path) -> None:
    command = [sys.executable, "-m", "agentos_lambda.engine.components.build_manifest", "-o", "manifest.json"]
    path = os.pathsep.join(["layers/agentos_lambda", IN_LAYER])
    subprocess.run(command, cwd=clone, env=os.environ | {"PYTHONPATH": path}, check=True)

    manifest = json.loads((clone / "manifest.json").read_text())
    assert [agent["id"] for agent in manifest["agents"]] == ["observer"]
    assert manifest["agents"][0]["quick_prompts"] == ['call noon {"day": "monday"}', "celsius 68"]
    assert [workflow["id"] for workflow in manifest["workflows"]] == ["report"]


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_merge_keeps_the_clone_s_own_components_once_git_is_told_so(tmp_path: Path, told: bool) -> None:
    upstream, own = tmp_path / "upstream", tmp_path / "own"
    sample, changes = f"{IN_LAYER}components.py", "CHANGELOG.md"
    files = {path: text for path, text in pages.named_files(PAGE).items() if path.startswith(IN_LAYER)}

    def commit(folder: Path, written: dict[str, str]) -> None:
        write(written, folder)
        done = shell("git add --all && git commit --quiet --message change", folder, **GIT)
        assert done.returncode == 0, done.stderr

    upstream.mkdir()
    shell("git init --quiet --initial-branch main", upstream, **GIT)
    commit(upstream, {sample: (ROOT / sample).read_text(), changes: "old"})
    shell("git clone --quiet upstream own", tmp_path, **GIT)
    commit(own, files)
    commit(upstream, {sample: "agents = teams = workflows = []\n", changes: "new"})

    if told:
        assert shell(block("git config"), own, **GIT).returncode == 0
    merged = shell(block("git merge"), own, **GIT)

    assert (merged.returncode == 0) is told, merged.stdout + merged.stderr
    assert ((own / sample).read_text() == files[sample]) is told
    assert (own / changes).read_text() == "new"


def test_the_page_has_the_table_of_what_is_kept() -> None:
    assert f"\n\n{table()}\n" in PAGE.read_text()
