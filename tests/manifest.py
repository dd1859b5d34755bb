"""The manifest of the sample components, by the command that a build runs."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.process import PACKAGE, ROOT

COMPONENTS = ROOT / "layers/components"
LAYERS_PATH = os.pathsep.join((str(PACKAGE), str(COMPONENTS)))
"""``PYTHONPATH`` of a process that imports what a function does."""


def build_manifest(path: Path) -> Path:
    """Writes it to ``path``."""
    command = [sys.executable, "-m", "agentos_lambda.engine.components.build_manifest", "-o", str(path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": LAYERS_PATH})
    return path


def shared_manifest(folder: Path) -> Path:
    """One for all processes that share the folder: the first that needs it builds it."""
    path = folder / "manifest.json"
    with (folder / "manifest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            build_manifest(folder / "manifest.new").rename(path)
    return path
