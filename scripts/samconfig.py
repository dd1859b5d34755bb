"""The options that samconfig.toml gives a deployment."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def deployment(environment: str, *, root: Path = ROOT) -> dict[str, Any]:
    """The options of ``sam deploy`` in one environment of the file, spelled as there: ``stack_name``, ``region``, …"""
    config: dict[str, Any] = tomllib.loads((root / "samconfig.toml").read_text())[environment]
    parts = (config.get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    return {name: value for part in parts for name, value in part.items()}
