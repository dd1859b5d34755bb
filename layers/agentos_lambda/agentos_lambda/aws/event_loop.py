"""The process's event loop."""

from __future__ import annotations

import asyncio
from functools import cache


@cache
def process_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this process: clients that an app keeps stay bound to a loop that lives."""
    return asyncio.new_event_loop()
