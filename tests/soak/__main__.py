"""``python -m tests.soak``: about five minutes of it, and the ledger. The exit status tells whether it balances."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.ledger import MUST_BE_NONE, summary, ways
from tests.soak.soak import Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180, help="of load; the last runs then take up to two minutes")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    soak = Soak(options.seconds, seed=options.seed)
    with tempfile.TemporaryDirectory() as state:
        promises = soak.run(Path(state))
    lines = summary(promises)
    wrong = [(promise.log_differs, promise) for promise in promises if promise.wrong]
    sys.stdout.write(f"seed {options.seed}, {soak.killed} workers killed\n")
    sys.stdout.writelines(f"{count:6} {name}\n" for name, count in lines.items())
    sys.stdout.write(f"started as {ways(promises)}\n")
    sys.stdout.writelines(f"{differences} {promise}\n" for differences, promise in wrong)
    remembered = sum(len(user.statuses) for user in soak.users)
    sys.stdout.write(f"{remembered} runs were told to remember something\n")
    told = [*soak.wrong_conversations, *soak.wrong_memories]
    sys.stdout.writelines(f"{each}\n" for each in told)
    return int(any(lines[name] for name in MUST_BE_NONE) or bool(told))


if __name__ == "__main__":
    sys.exit(main())
