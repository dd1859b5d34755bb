"""The whole stack over the project's own functions, as a process: ``python whole_stack.py PORT STATE COMPONENTS``."""

import sys
from pathlib import Path

from local.__main__ import main
from local.settings import Settings

if __name__ == "__main__":
    port, state, components = sys.argv[1:]
    # A sweep each second: a test that needs one does not wait for it.
    sys.exit(main(Settings(port=int(port), components=Path(components), state=Path(state), schedule_seconds=1)))
