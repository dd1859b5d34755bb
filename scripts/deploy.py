"""``python -m scripts.deploy``: ``sam deploy``, for the processor and the Python that the functions are built for.

The build takes both from the template's defaults. In a stack that exists, sam leaves a parameter that nobody names as
it is, whatever its default has become; so these two are always named.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from scripts.samconfig import ROOT, deployment

BUILT_FOR = ("Architecture", "Runtime")


def main() -> None:
    """Become ``sam deploy``."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description=__doc__)
    parser.add_argument("--config-env", default="default", help="the part of samconfig.toml that names the stack")
    environment: str = parser.parse_args().config_env
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    given = overrides(deployment(environment).get("parameter_overrides"), parameters)
    sam = Path(sys.executable).with_name("sam")
    os.execv(  # noqa: S606
        sam, [str(sam), "deploy", "--config-env", environment, "--parameter-overrides", *given]
    )


def overrides(configured: Any, parameters: Mapping[str, Any]) -> list[str]:
    """The values of ``--parameter-overrides``: those of samconfig.toml, and last, so that it counts, the target's."""
    return [*_texts(configured), *(f"{name}={parameters[name]['Default']}" for name in BUILT_FOR)]


def _texts(configured: Any) -> list[str]:
    """samconfig.toml may have a text, a table, or a list of both."""
    if isinstance(configured, list):
        return [text for each in configured for text in _texts(each)]
    if isinstance(configured, Mapping):
        return [f'{name}="{value}"' for name, value in configured.items()]
    return [configured] if configured else []


if __name__ == "__main__":
    main()
