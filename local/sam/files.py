"""The files that sam local is started with: a template that declares all variables, and their local values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.template.parse import parse

Variables = Mapping[str, Mapping[str, str]]
"""Logical id of a function -> its environment variables."""


@dataclass(frozen=True, slots=True)
class SamLocalFiles:
    """The two files."""

    template: Path
    variables: Path

    @property
    def options(self) -> tuple[str, ...]:
        """The options that ``start-api`` and ``invoke`` both need."""
        return ("--template", str(self.template), "--env-vars", str(self.variables), "--skip-pull-image")


@contextmanager
def sam_local_files(built: Path, variables: Variables, architecture: str) -> Iterator[SamLocalFiles]:
    """Both files beside the built template, whose paths are relative. The values are deleted at the end of the context.

    sam local sets only variables that the template declares, and the user's environment overrides the values there. So
    one file declares the variables and the other gives their values, which override everything.
    """
    document = parse(built.read_text())
    document["Parameters"]["Architecture"]["Default"] = architecture
    for name, its_own in variables.items():
        document["Resources"][name]["Properties"]["Environment"] = {"Variables": dict.fromkeys(its_own, "")}
    files = SamLocalFiles(built.with_name("local.json"), built.with_name("local-variables.json"))
    files.template.write_text(json.dumps(document, indent=1))
    files.variables.unlink(missing_ok=True)
    files.variables.touch(0o600)
    files.variables.write_text(json.dumps(variables, indent=1))
    try:
        yield files
    finally:
        files.variables.unlink(missing_ok=True)
