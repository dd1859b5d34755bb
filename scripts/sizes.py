"""``python -m scripts.sizes``: the unzipped sizes of the functions sam has built, and of the components' packages."""

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
    found, brought = sizes(BUILD), packages(BUILD / "ComponentsLayer" / "python")
    print(f"MiB unzipped, of the {LIMIT_MIB} that a function and its layers may have:")
    for name, size in found.items():
        print(f"{size / MIB:7.1f}  {name}")
    if brought:
        print("of these, by what the components bring:")
    for name, size in brought.items():
        print(f"{size / MIB:7.1f}  {name}")
    excess = max(found.values()) - LIMIT_MIB * MIB
    if excess <= 0:
        return 0
    too_large = ", ".join(name for name, size in found.items() if size > LIMIT_MIB * MIB)
    largest = f", above all for {next(iter(brought))}" if brought else ""
    print(
        f"{excess / MIB:.1f} MiB too large{largest}: {too_large}. docs/components.md says what to do.", file=sys.stderr
    )
    return 1


def packages(layer: Path) -> dict[str, int]:
    """What is imported from a layer, the largest first -> bytes. What is smaller than 0.1 MiB is left out."""
    found = {entry.name: _size(entry) for entry in layer.iterdir() if entry.is_dir()}
    return {name: size for name, size in sorted(found.items(), key=lambda each: -each[1]) if size >= MIB / 10}


def sizes(build: Path, *, without: str = "") -> dict[str, int]:
    """Logical id of each built function -> bytes of the function and its layers, but for the layer ``without``."""
    resources = yaml_parse((build / "template.yaml").read_text())["Resources"]
    return {
        name: sum(map(_size, (build / name, *(build / layer for layer in _layers(spec) if layer != without))))
        for name, spec in resources.items()
        if spec["Type"] == "AWS::Serverless::Function"
    }


def _layers(function: dict[str, Any]) -> list[str]:
    """With those that it has under a condition: it has to be small enough with them, too."""
    layers = function["Properties"]["Layers"]
    return [(layer["Fn::If"][1] if "Fn::If" in layer else layer)["Ref"] for layer in layers]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    sys.exit(main())
