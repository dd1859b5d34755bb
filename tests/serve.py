"""The stack of ``make run`` for tests: ``python -m tests.serve PORT STATE``, and options."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.__main__ import main
from local.settings import Settings

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("state", type=Path)
    parser.add_argument("--components", type=Path)
    parser.add_argument("--sweeps", type=float, default=Settings().schedule_seconds, help="seconds between two of them")
    parser.add_argument(
        "--environments", type=int, default=Settings().max_environments, help="of each function at most"
    )
    parser.add_argument("--cold", action="store_true", help="start environments with the first requests")
    told = parser.parse_args()
    settings = Settings(
        port=told.port,
        state=told.state,
        components=told.components,
        schedule_seconds=told.sweeps,
        max_environments=told.environments,
        warm=not told.cold,
    )
    sys.exit(main(settings))
