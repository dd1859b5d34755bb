"""``python -m local``: the whole stack on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.processes.run_until_signal import run_until_signal
from local.settings import DEFAULT_PORT, Settings
from local.stack import serve
from local.welcome import welcome


def main(settings: Settings) -> int:
    """Run the stack until it is stopped. Gives the process's exit status."""
    return run_until_signal(serve(settings, lambda: _welcome(settings)))


def _welcome(settings: Settings) -> None:
    print(welcome(settings, key_is_set=bool(os.environ.get("OS_SECURITY_KEY"))), flush=True)


def _settings(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the API; default: %(default)s")
    parser.add_argument("--components", type=Path, help="your components file; default: the samples")
    options = parser.parse_args(arguments)
    return Settings(port=options.port, components=options.components)


if __name__ == "__main__":
    sys.exit(main(_settings(sys.argv[1:])))
