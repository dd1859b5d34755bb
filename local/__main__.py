"""``python -m local``: the whole stack on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from local.settings import DEFAULT_PORT, CannotStart, Settings
from local.stack import serve
from local.welcome import welcome


def main(settings: Settings) -> int:
    """Run the stack. Gives the process's exit status."""
    logging.basicConfig(format="[%(name)s] %(message)s", level=logging.WARNING)
    try:
        asyncio.run(_until_told_to_end(settings))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


async def _until_told_to_end(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(serve(settings, lambda: _welcome(settings)))

    def end() -> None:
        # Once only: a second Ctrl-C must not cut short what saves the state.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _welcome(settings: Settings) -> None:
    print(welcome(settings, key_is_set=bool(os.environ.get("OS_SECURITY_KEY"))), flush=True)


def _settings(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--components", type=Path, help="a components file in place of the sample")
    options = parser.parse_args(arguments)
    return Settings(port=options.port, components=options.components)


if __name__ == "__main__":
    sys.exit(main(_settings(sys.argv[1:])))
