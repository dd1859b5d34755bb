"""The stack of ``make run`` with a state folder of the tests' own: ``python serve.py PORT STATE COMPONENTS``."""

import sys
from pathlib import Path

from local.__main__ import main
from local.settings import Settings

if __name__ == "__main__":
    port, state, components = sys.argv[1:]
    sys.exit(main(Settings(port=int(port), components=Path(components), state=Path(state))))
