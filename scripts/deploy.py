"""``python -m scripts.deploy``: ``sam deploy`` for the processor and the Python that the functions are built for.

The build takes both from the template's defaults. In an existing stack sam keeps the value of a parameter that is not
named, even if its default has changed, so these two are always named.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from scripts.samconfig import ROOT, deployment

BUILT_FOR = ("Architecture", "Runtime")
"""Parameters that the build reads."""


def main() -> None:
    """Replace this process by ``sam deploy``."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description=__doc__)
    parser.add_argument("--config-env", default="default", help="environment of samconfig.toml; default: %(default)s")
    environment: str = parser.parse_args().config_env
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    given = overrides(deployment(environment).get("parameter_overrides"), parameters)
    sam = Path(sys.executable).with_name("sam")
    os.execv(  # noqa: S606
        sam, [str(sam), "deploy", "--config-env", environment, "--parameter-overrides", *given]
    )


def overrides(configured: Any, parameters: Mapping[str, Any]) -> list[str]:
    """The values of ``--parameter-overrides``: first those of samconfig.toml, then the target, which overrides them."""
    return [*_texts(configured), *(f"{name}={parameters[name]['Default']}" for name in BUILT_FOR)]


def _texts(configured: Any) -> list[str]:
    """samconfig.toml may hold a text, a table, or a list of both."""
    if isinstance(configured, list):
        return [text for each in configured for text in _texts(each)]
    if isinstance(configured, Mapping):
        return [f'{name}="{value}"' for name, value in configured.items()]
    return [configured] if configured else []


if __name__ == "__main__":
    main()
