"""Waiting for what another process, thread or service makes true. What a test drives by itself is never waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

_Value = TypeVar("_Value")

PATIENCE_SECONDS = 60.0
"""Far more than anything takes, even on a busy machine: only a test that fails waits for so long."""


def until(condition: Callable[[], _Value], seconds: float = PATIENCE_SECONDS) -> _Value:
    """The first true value of ``condition``. Fails after ``seconds``."""
    for pause in _pauses(seconds):
        if value := condition():
            return value
        time.sleep(pause)
    raise AssertionError("it did not happen in time")


async def until_async(condition: Callable[[], _Value], seconds: float = PATIENCE_SECONDS) -> _Value:
    """The same, while the event loop goes on."""
    for pause in _pauses(seconds):
        if value := condition():
            return value
        await asyncio.sleep(pause)
    raise AssertionError("it did not happen in time")


def _pauses(seconds: float) -> Iterator[float]:
    """Short ones first: what is soon true is soon seen, and a slow service is not kept from its work."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while time.monotonic() < deadline:
        yield pause
        pause = min(pause * 1.3, 0.1)
