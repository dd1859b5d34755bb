"""``python -m tests.differential``: requests about sessions to the released AgentOS and to ours, and what differs."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.differential.cases import Cases
from tests.differential.compare import Report, compare
from tests.differential.servers import Asked, Ours, released


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder, released(Path(folder)) as oracle:
        compare(oracle, Ours(), _for_a_while(Cases(options.seed), options.seconds), report)
    sys.stdout.write(f"seed {options.seed}, {options.seconds} seconds, {report.asked} requests {dict(report.paths)}\n")
    sys.stdout.writelines(f"{times:6} {name}\n" for name, times in report.named.most_common())
    sys.stdout.writelines(f"{told}\n" for told in report.unnamed)
    return int(bool(report.unnamed))


def _for_a_while(cases: Cases, seconds: float) -> Iterator[Asked]:
    end = time.monotonic() + seconds
    for asked in cases:
        if time.monotonic() > end:
            return
        yield asked


if __name__ == "__main__":
    sys.exit(main())
