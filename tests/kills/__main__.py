"""``python -m tests.kills``: a hundred kills, and what became of the runs. The exit status tells whether it is well."""

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
    parser.add_argument("--kills", type=int, default=100, help="at the most")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    kills = Kills(options.seconds, seed=options.seed, most=options.kills)
    with tempfile.TemporaryDirectory() as folder:
        runs = kills.run(Path(folder))
    wrong = [(told, each) for each in runs if (told := each.wrong()) is not None]
    ends = Counter((each.kind, "durable" if each.durable else "not durable", each.run["status"]) for each in runs)
    sys.stdout.write(f"seed {options.seed}, {options.seconds:.0f} s at most: {kills.kills} kills of {len(runs)} runs\n")
    sys.stdout.writelines(f"{count:6} {' '.join(end)}\n" for end, count in sorted(ends.items()))
    sys.stdout.write(f"{sum(each.deaths for each in runs):6} times carried on after a death\n")
    sys.stdout.write(f"{sum(each.repeated for each in runs):6} tools, tasks and steps repeated\n")
    sys.stdout.writelines(f"{told}: {each}\n" for told, each in wrong)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
