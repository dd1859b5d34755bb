"""The options that samconfig.toml gives a deployment. ``python -m scripts.samconfig NAME`` prints a parameter of it."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def deployment(environment: str, *, root: Path = ROOT) -> dict[str, Any]:
    """The options of ``sam deploy`` in one environment of the file, spelled as there: ``stack_name``, ``region``, …"""
    config: dict[str, Any] = tomllib.loads((root / "samconfig.toml").read_text())[environment]
    parts = (config.get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    return {name: value for part in parts for name, value in part.items()}


def parameter_overrides(environment: str, *, root: Path = ROOT) -> list[str]:
    """The values of ``--parameter-overrides`` in the file, which may hold a text, a table, or a list of both."""
    return override_texts(deployment(environment, root=root).get("parameter_overrides"))


def override_texts(configured: Any) -> list[str]:
    """The same of what the file holds."""
    if isinstance(configured, list):
        return [text for each in configured for text in override_texts(each)]
    if isinstance(configured, Mapping):
        return [f'{name}="{value}"' for name, value in configured.items()]
    return [configured] if configured else []


def override(name: str, environment: str, *, root: Path = ROOT) -> str:
    """The value of a parameter in the file; empty if it does not set it."""
    texts = " ".join(parameter_overrides(environment, root=root))
    found = re.findall(rf'(?:^|\s){re.escape(name)}=(?:"([^"]*)"|(\S+))', texts)
    return "".join(found[-1]) if found else ""


def main(arguments: list[str] | None = None) -> int:
    """Print the value of a parameter, or an empty line if the file does not set it."""
    parser = argparse.ArgumentParser(prog="python -m scripts.samconfig", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    options = parser.parse_args(arguments)
    print(override(options.name, options.config_env))
    return 0


if __name__ == "__main__":
    sys.exit(main())
