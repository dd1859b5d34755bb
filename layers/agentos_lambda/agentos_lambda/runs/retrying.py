"""Asks a store again that does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agentos_lambda.runs.errors import StoreUnavailable

log = logging.getLogger(__name__)

_PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""Between the tries: all together well within a lease."""

_Answer = TypeVar("_Answer")


async def retried(
    ask: Callable[[], _Answer], *, pause: Callable[[float], Awaitable[None]], run_id: str, meanwhile: str
) -> _Answer:
    """What ``ask`` returns, which is called in a thread, and again after each ``pause`` (seconds) while the store is
    unavailable. ``meanwhile`` is logged each time. Raises what the last try raises."""
    for seconds in _PAUSES_SECONDS:
        try:
            return await asyncio.to_thread(ask)
        except StoreUnavailable:
            log.warning(meanwhile, extra={"run_id": run_id})
        await pause(seconds)
    return await asyncio.to_thread(ask)
