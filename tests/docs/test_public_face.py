"""What a components file imports from ``agentos_lambda``, and what that costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agentos_lambda
from agentos_lambda.engine.models.default import default_model
from agentos_lambda.engine.models.demo import DemoModel
from tests.docs import pages
from tests.docs.pages import ROOT


def loaded_by(program: str) -> set[str]:
    """The modules that a fresh process has after a program."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(ROOT / "layers/agentos_lambda")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def imported(source: str) -> set[str]:
    """Modules of the package that a source imports, and ``agentos_lambda.NAME`` for each name from its root."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {each for each in found if each.partition(".")[0] == "agentos_lambda"}


def test_importing_the_package_imports_neither_agno_nor_a_module_of_its_own() -> None:
    modules = loaded_by("import agentos_lambda")
    assert [each for each in modules if each.startswith(("agno", "agentos_lambda."))] == []


def test_a_public_name_brings_agno_when_it_is_used() -> None:
    assert "agno" in loaded_by("from agentos_lambda import DemoModel")


def test_the_public_names_are_those_of_the_engine() -> None:
    assert agentos_lambda.default_model is default_model
    assert agentos_lambda.DemoModel is DemoModel


def test_every_public_name_is_there_and_is_listed() -> None:
    assert [each for each in agentos_lambda.__all__ if not hasattr(agentos_lambda, each)] == []
    assert set(agentos_lambda.__all__) <= set(dir(agentos_lambda))


def test_a_name_that_is_not_public_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'agentos_lambda' has no attribute 'default_mode'"):
        _ = agentos_lambda.default_mode


def test_samples_import_public_names_only() -> None:
    names = set().union(*(imported(path.read_text()) for path in (ROOT / "layers/components").rglob("*.py")))
    assert "agentos_lambda.default_model" in names
    assert names <= {f"agentos_lambda.{each}" for each in agentos_lambda.__all__}


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_examples_of_the_documents_import_public_names_only(page: Path) -> None:
    names = set().union(*map(imported, pages.blocks(page, "python")))
    assert names <= {f"agentos_lambda.{each}" for each in agentos_lambda.__all__}
