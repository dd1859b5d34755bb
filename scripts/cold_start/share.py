"""The share of a processor that Lambda gives a function: by its memory, once it has started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

_WHOLE_CPU_MIB = 1769
"""At which Lambda gives a whole CPU. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_PERIOD_SECONDS = 0.02


def share_of(memory: int) -> float:
    """What a function of ``memory`` MiB gets of a processor."""
    return min(1.0, memory / _WHOLE_CPU_MIB)


def cpu_seconds(pid: int) -> float:
    """The CPU clock of another process, as clock_getcpuclockid(3) numbers it on Linux."""
    return time.clock_gettime(~pid << 3 | 2)


async def held_to(share: float, pid: int) -> None:
    """Hold a process to its share, until cancelled or until it has ended: in each period it is stopped once it has used
    that much CPU. What it has used beyond counts for the next ones."""
    with contextlib.suppress(OSError):  # it has ended
        used, left = cpu_seconds(pid), 0.0
        try:
            while True:
                until, left = time.monotonic() + _PERIOD_SECONDS, min(left, 0.0) + share * _PERIOD_SECONDS
                os.kill(pid, signal.SIGCONT if left > 0 else signal.SIGSTOP)
                while left > 0 and time.monotonic() < until:
                    await asyncio.sleep(min(left, until - time.monotonic()))
                    before, used = used, cpu_seconds(pid)
                    left -= used - before
                if left <= 0:
                    os.kill(pid, signal.SIGSTOP)
                    await asyncio.sleep(until - time.monotonic())
        finally:
            os.kill(pid, signal.SIGCONT)
