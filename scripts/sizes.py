"""``python -m scripts.sizes``: the unzipped size of each function that sam has built, with its layers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from scripts.samconfig import ROOT

BUILD = ROOT / ".aws-sam" / "build"
LIMIT_MIB = 250
"""Lambda's limit. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MIB = 1024 * 1024


def main() -> int:
    """Print the sizes. Gives the process's exit status: 1 if a function is too large."""
    found = sizes(BUILD)
    print(f"MiB unzipped, of the {LIMIT_MIB} that a function and its layers may have:")
    for name, size in found.items():
        print(f"{size / MIB:7.1f}  {name}")
    return int(max(found.values()) > LIMIT_MIB * MIB)


def sizes(build: Path) -> dict[str, int]:
    """Logical id of each built function -> bytes of the function and its layers."""
    resources = yaml_parse((build / "template.yaml").read_text())["Resources"]
    return {
        name: sum(map(_size, (build / name, *(build / layer for layer in _layers(spec)))))
        for name, spec in resources.items()
        if spec["Type"] == "AWS::Serverless::Function"
    }


def _layers(function: dict[str, Any]) -> list[str]:
    return [layer["Ref"] for layer in function["Properties"]["Layers"]]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.exit(main())
