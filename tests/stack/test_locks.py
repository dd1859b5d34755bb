"""What goes into the layers, by their lock files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stack.translation import ROOT


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("layer", ["web", "engine", "identity"])
def test_every_package_of_a_layer_is_locked_by_hash(layer: str) -> None:
    lock = (ROOT / "layers" / layer / "requirements.txt").read_text()
    packages = re.split(r"\n(?=\S)", lock.strip())
    assert len(packages) == len(locked(ROOT / "layers" / layer / "requirements.txt"))
    assert all("--hash=sha256:" in package for package in packages)


def test_web_and_engine_agree_on_what_both_need_so_that_one_of_them_may_hold_it() -> None:
    web, engine = (locked(ROOT / "layers" / layer / "requirements.txt") for layer in ("web", "engine"))
    shared = web.keys() & engine.keys()
    assert "pydantic" in shared
    assert {name: web[name] for name in shared} == {name: engine[name] for name in shared}


@pytest.mark.parametrize("layer", ["web", "engine", "identity"])
def test_the_layers_hold_what_is_tested_locally(layer: str) -> None:
    tested = locked(ROOT / "requirements/local.txt").items()
    assert locked(ROOT / "layers" / layer / "requirements.txt").items() <= tested


@pytest.mark.parametrize("package", ["openai", "anthropic", "google-genai", "fastmcp-slim", "mcp"])
def test_what_only_the_tests_need_is_in_no_layer(package: str) -> None:
    assert package in locked(ROOT / "requirements/dev.txt")
    for lock in ("requirements/local.txt", "layers/web/requirements.txt", "layers/engine/requirements.txt"):
        assert package not in locked(ROOT / lock)
