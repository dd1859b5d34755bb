"""A program that runs until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine

from local.settings import CannotStart


def run_until_told(serving: Coroutine[None, None, None]) -> int:
    """Serve until SIGINT or SIGTERM. Gives the process's exit status."""
    logging.basicConfig(format="[%(name)s] %(message)s", level=logging.WARNING)
    try:
        asyncio.run(_until_told_to_end(serving))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


async def _until_told_to_end(work: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(work)

    def end() -> None:
        # Once only: a second Ctrl-C must not cut short what saves the state.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
