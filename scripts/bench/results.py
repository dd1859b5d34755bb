"""What was measured, as a file that a program can compare."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.settings import ROOT

Results = Mapping[str, Sequence[float]]
"""Name of a measure -> its samples. The name begins with whose it is: ``ours: warm config, CPU ms``."""

OURS = "ours"

Note = Callable[[str, str, float], None]
"""Takes a sample: whose it is, the measure, and the value."""

_LOCK = ROOT / "requirements" / "local.txt"
_PACKAGES = ("agno", "boto3", "fastapi", "mangum", "pydantic", "uvicorn")


@dataclass(frozen=True)
class Run:
    """When, where and of what the results are."""

    date: str
    machine: str
    """Its class, not its name."""
    commit: str
    versions: Mapping[str, str]

    @classmethod
    def here(cls, python: str) -> Run:
        """This one. ``python``: the interpreter that is measured."""
        commit = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
        return cls(
            datetime.now(UTC).date().isoformat(),
            f"{os.cpu_count()} cores, {platform.machine()}",
            subprocess.run(commit, capture_output=True, text=True, check=True).stdout.strip(),
            {"python": _output(python, "-c", "import platform; print(platform.python_version())"), **_locked()},
        )


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _locked() -> dict[str, str]:
    pins = dict(line.split(" ")[0].split("==") for line in _LOCK.read_text().splitlines() if "==" in line[:60])
    return {name: pins[name] for name in _PACKAGES}


def middle(results: Results, name: str) -> float | None:
    """The median of a measure; None if it was not measured."""
    samples = results.get(name)
    return statistics.median(samples) if samples else None


def compared(before: Results, after: Results) -> list[str]:
    """A line for each measure that both have, with the change of its median in percent."""
    lines = []
    for name in sorted(before.keys() & after.keys()):
        old, new = statistics.median(before[name]), statistics.median(after[name])
        change = f"{100 * (new - old) / old:+.1f} %" if old else ""
        lines.append(f"{name:46} {old:12.2f} {new:12.2f}  {change}")
    return lines


def load(file: Path) -> tuple[Run, Results]:
    """What was written by ``save``."""
    found = json.loads(file.read_text())
    return Run(**found["run"]), found["results"]


def save(file: Path, run: Run, results: Results) -> None:
    """Write them, with four digits, a line for each measure."""
    rounded = {name: [float(f"{sample:.4g}") for sample in samples] for name, samples in results.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(samples)}" for name, samples in sorted(rounded.items()))
    head = json.dumps(asdict(run), indent=1).replace("\n", "\n ")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{{\n "version": 1,\n "run": {head},\n "results": {{\n{lines}\n }}\n}}\n')
