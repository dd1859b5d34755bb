"""A built template made ready for sam local: its variables can be set, and are set, to what is true here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

Variables = Mapping[str, Mapping[str, str]]
"""Logical id of a function -> its environment variables."""


@dataclass(frozen=True, slots=True)
class SamLocalFiles:
    """What sam local is started with."""

    template: Path
    variables: Path

    @property
    def options(self) -> tuple[str, ...]:
        """The options that start-api and invoke have to be given alike."""
        return ("--template", str(self.template), "--env-vars", str(self.variables), "--skip-pull-image")


@contextmanager
def sam_local_files(built: Path, variables: Variables, architecture: str) -> Iterator[SamLocalFiles]:
    """Both files beside the built template, whose paths are relative. That of the values is kept no longer than needed.

    sam local sets only variables that the template declares, and the user's own environment comes before the values
    there: so they are declared in the one and given in the other, which comes before all.
    """
    document = yaml_parse(built.read_text())
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
