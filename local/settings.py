"""How the local stack is set up."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
MAX_ENVIRONMENTS = 8
"""How many environments of one function run at the same time. Further invocations wait."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults are those of ``make run``."""

    port: int = DEFAULT_PORT
    components: Path | None = None
    """A components file in place of the sample."""
    template: Path = ROOT / "template.yaml"
    state: Path = ROOT / ".local"
    """The folder of the state, and of files that are made at the start."""
    cloud_python: Path = ROOT / ".venvs" / "cloud" / "bin" / "python"
    """The interpreter that ministack is installed for."""
    max_environments: int = MAX_ENVIRONMENTS
    warm: bool = True
    """Whether an environment of each function starts with the stack, so that first requests are quick."""
    schedule_seconds: float = 10
    """How often a function with a schedule is invoked, whatever the template says: nobody wants to wait for it here."""
    idle_seconds: float = 300
    """How long a streamed answer may be idle before the gateway cuts it, as API Gateway does."""
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
    """Why the local stack cannot run, in words for its user."""


class InvalidTemplate(CannotStart):
    """The template lacks what the local stack needs."""
