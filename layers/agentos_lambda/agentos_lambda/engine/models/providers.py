"""The names that agno's model classes carry, without importing them: most need a package that is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import agno.models
from agno.models.utils import _PROVIDERS


def model_providers() -> dict[str, list[str]]:
    """Provider key (the first half of ``AGENTOS_MODEL``) -> the class's name and provider, as a description has them.

    agno's own table has both, but the provider in lower case; the true spelling stands in the class.
    """
    return {
        key: [name, _spelling(module, class_name) or provider]
        for key, (module, class_name, name, provider) in _PROVIDERS.items()
    }


def _spelling(module: str, class_name: str) -> str | None:
    for source in _sources(module):
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == class_name:
                return _default(node, "provider")
    return None


def _sources(module: str) -> Iterator[Path]:
    path = Path(agno.models.__path__[0]).joinpath(*module.split(".")[2:])
    return path.glob("*.py") if path.is_dir() else iter([path.with_suffix(".py")])


def _default(class_definition: ast.ClassDef, field: str) -> str | None:
    for node in class_definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == field:
            value = node.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return None
