"""What libraries alone cost, without a line of ours: a goal that is below it is replaced by it and a tenth.

The libraries are those of the layers, with byte code, in the interpreter that is measured. The floor of a
first request is their imports, measured here; that of a warm run an app that is made of them, measured like the others.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.bench.results import Results

LIBRARIES = "libraries"
"""Whose the samples are of the app that is made of them."""
_WEB = "import fastapi, mangum"
_CLIENT = f"{_WEB}, boto3; boto3.client('dynamodb')"
IMPORTS: Mapping[str, str] = {
    "FastAPI and Mangum": _WEB,
    "FastAPI, Mangum and a client of boto3": _CLIENT,
    "FastAPI, Mangum, a client of boto3 and agno.agent": f"{_CLIENT}; import agno.agent",
}
_, _READS, _RUNS = IMPORTS
FLOORS: Mapping[str, str] = {
    **dict.fromkeys(("cold config", "cold list", "cold get", "cold cancel"), _READS),
    "cold agent run": _RUNS,
}
"""What each request needs. Even ``/config`` asks Secrets Manager for the key."""
_WITHIN = {"served whole run, own time ms": "warm agent run, CPU ms"}
"""What another measure is a part of: a client waits for what a processor does for it."""
_MARGIN = 1.1

_COUNTED = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_PEAK = "; print(open('/proc/self/status').read())"


def measure(python: str, packages: Sequence[Path], note: Callable[[str, str, float], None], *, count: bool) -> None:
    """Note the peak memory of each, and millions of instructions if they are to be counted."""
    for name, statement in IMPORTS.items():
        note("imports", f"{name}, peak MiB", _found(r"VmHWM:\s+(\d+)", (python,), statement, packages) / 1024)
        if count:
            counted = _found(r"I\s+refs:\s+([\d,]+)", (*_COUNTED, python), statement, packages)
            note("imports", f"{name}, M instructions", counted // 1_000_000)


def _found(pattern: str, interpreter: Sequence[str], statement: str, packages: Sequence[Path]) -> int:
    """The number in what the interpreter prints. Raises ``RuntimeError`` if it is not there."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    done = subprocess.run(
        [*interpreter, "-S", "-c", statement + _PEAK], env=environment, capture_output=True, text=True, check=True
    )
    number = re.search(pattern, done.stdout + done.stderr)
    if number is None:
        raise RuntimeError(done.stdout + done.stderr)
    return int(number[1].replace(",", ""))


def floor(measure: str, results: Results) -> float:
    """The least that a goal for this measure may ask for, in the measure's unit; 0 if there is no floor."""
    request, _, unit = measure.partition(", ")
    of_libraries = results.get(f"{LIBRARIES}: {_WITHIN.get(measure, measure)}")
    samples = of_libraries or results.get(f"imports: {FLOORS.get(request)}, {unit}")
    return _MARGIN * statistics.median(samples) if samples else 0
