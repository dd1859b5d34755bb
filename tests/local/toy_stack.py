"""The real stack over the toy functions, as a process: ``python toy_stack.py PORT STATE COMPONENTS``."""

import sys
from pathlib import Path

from local.__main__ import main
from local.settings import Settings

HERE = Path(__file__).parent

if __name__ == "__main__":
    port, state, components = sys.argv[1:]
    settings = Settings(
        port=int(port),
        components=Path(components),
        template=HERE / "template.yaml",
        state=Path(state),
        schedule_seconds=0.1,
        build_manifest=(sys.executable, str(HERE / "toy_manifest.py")),
    )
    sys.exit(main(settings))
