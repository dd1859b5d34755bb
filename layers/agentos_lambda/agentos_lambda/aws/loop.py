"""The process's event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

_THREADS = 64
"""At most; they are made as they are needed. asyncio's own default follows the number of CPUs, and is 5 on a small
function: a few tools that block would leave no thread to the stores, and their run could not even be cancelled."""


@cache
def process_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this process: clients that an app keeps stay bound to a loop that lives."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="process-loop"))
    return loop
