"""What the local stack is told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000


@dataclass(frozen=True, slots=True)
class Settings:
    port: int = DEFAULT_PORT
    components: Path | None = None
    """A components file in place of the sample."""
    template: Path = ROOT / "template.yaml"
    state: Path = ROOT / ".local"
    """Where state and what is made at the start are kept."""
    cloud_python: Path = ROOT / ".venvs" / "cloud" / "bin" / "python"
    """The interpreter of the environment that ministack is installed in."""
    schedule_seconds: float = 10
    """How often whatever has a schedule is invoked, in place of the template's schedules: who tries things out locally
    does not want to wait for them."""
    build_manifest: tuple[str, ...] = (
        sys.executable,
        "-m",
        "agentos_lambda.engine.components.build_manifest",
        "--try-model",
    )

    @property
    def components_file(self) -> Path:
        return self.components or ROOT / "layers" / "components" / "components.py"

    @property
    def manifest(self) -> Path:
        return self.state / "manifest.json"


class CannotStart(Exception):
    """Why the local stack can not run, in one line for its user."""


class InvalidTemplate(CannotStart):
    """The template does not say what the local stack has to know."""
