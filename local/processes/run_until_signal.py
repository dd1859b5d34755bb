"""A program that runs until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine

from local.settings import CannotStart

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_signal(serving: Coroutine[None, None, None]) -> int:
    """Serve until SIGINT or SIGTERM. Gives the process's exit status: 1, with the reason printed, if it cannot run."""
    logging.basicConfig(format="[%(name)s] %(message)s", level=logging.WARNING)
    try:
        asyncio.run(_cancel_on_signal(serving))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


async def _cancel_on_signal(work: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(work)

    def cancel() -> None:
        # Only once: a second Ctrl-C must not interrupt what saves the state.
        for number in _SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        serving.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
