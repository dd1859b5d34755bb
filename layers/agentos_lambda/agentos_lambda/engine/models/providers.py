"""The names that agno's model classes carry, without importing them: most need a package that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import agno.models
from agno.models.utils import _PROVIDERS

_DEFAULT = re.compile(r'^    provider: .* = "(.*)"$', re.MULTILINE)


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
        _, defined, rest = source.read_text(encoding="utf-8").partition(f"\nclass {class_name}(")
        if defined:  # by its text: a tree of each module takes half a second
            default = _DEFAULT.search(rest.partition("\nclass ")[0])
            return default[1] if default else None
    return None


def _sources(module: str) -> Iterator[Path]:
    path = Path(agno.models.__path__[0]).joinpath(*module.split(".")[2:])
    return path.glob("*.py") if path.is_dir() else iter([path.with_suffix(".py")])
