"""``python -m local.sam``: the built functions in sam's containers, over the local cloud, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.processes.run_until_signal import run_until_signal
from local.sam.files import SamLocalFiles
from local.sam.stack import serve
from local.sam.welcome import sam_welcome
from local.settings import Settings

DEFAULT_PORT = 3000
"""The default of ``sam local start-api``."""


def main(settings: Settings) -> int:
    """Run the stack until it is stopped. Gives the process's exit status."""

    def welcome(files: SamLocalFiles) -> None:
        print(sam_welcome(settings, files, key_is_set=bool(os.environ.get("OS_SECURITY_KEY"))), flush=True)

    return run_until_signal(serve(settings, welcome))


def settings_of(arguments: list[str]) -> Settings:
    """The settings that the command's arguments give."""
    parser = argparse.ArgumentParser(prog="python -m local.sam", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the API; default: %(default)s")
    parser.add_argument("--state", type=Path, default=Settings().state, help="folder of builds, runs and sessions")
    options = parser.parse_args(arguments)
    return Settings(port=options.port, state=options.state)


if __name__ == "__main__":
    sys.exit(main(settings_of(sys.argv[1:])))
