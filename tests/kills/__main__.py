"""``python -m tests.kills``: a hundred kills in the middle of durable runs, and what became of them.

The exit status tells whether all is well: the kills were made in time, and every run is as it should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.kills.kills import Kills


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1_800, help="at the most")
    parser.add_argument("--kills", type=int, default=100, help="of executors of durable runs")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    kills = Kills(options.seconds, seed=options.seed, most=options.kills)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        runs = kills.run(Path(folder))
    took = time.monotonic() - began
    wrong = [(told, each) for each in runs if (told := each.wrong()) is not None]
    ends = Counter((each.kind, "durable" if each.durable else "not durable", each.run["status"]) for each in runs)
    deaths = sum(len(each.deaths) for each in runs)
    sys.stdout.write(f"seed {options.seed}, {took:.0f} s of {options.seconds:.0f}: {len(runs)} runs\n")
    sys.stdout.writelines(f"{count:6} {' '.join(end)}\n" for end, count in sorted(ends.items()))
    sys.stdout.write(f"{kills.kills:6} executors of durable runs killed, {deaths - kills.kills} of others\n")
    sys.stdout.write(f"{sum(each.repeated for each in runs):6} tools, tasks and steps repeated\n")
    sys.stdout.writelines(f"{told}: {each}\n" for told, each in wrong)
    if kills.kills < options.kills:
        sys.stdout.write(f"{options.kills} kills were not reached in time\n")
    return int(bool(wrong) or kills.kills < options.kills)


if __name__ == "__main__":
    sys.exit(main())
