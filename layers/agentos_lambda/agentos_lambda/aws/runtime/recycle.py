"""Recycles a process that must not serve again: after its invocation, before it asks for the next.

A thread that hangs cannot be stopped: it would go on in somebody else's invocation. Only our own loop recycles
(``aws/runtime/loop.py``): Lambda's own cannot be left without failing an invocation.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import NoReturn

logger = logging.getLogger(__name__)

_asked = threading.Event()


def recycle_soon() -> None:
    """Have this process recycled when its invocation has been answered. Thread-safe."""
    _asked.set()


def recycle_due() -> bool:
    """Whether this process must serve no further invocation as it is."""
    return _asked.is_set()


def recycle_now() -> NoReturn:
    """Become a fresh process, without the threads and the memory of this one.

    Under the same id: for Lambda an invocation whose process ends has failed (``Runtime.ExitError``), even if it was
    answered. The invocation lasts until the runtime asks for the next one.
    """
    logger.warning("the process starts over: a run has left code behind that cannot be stopped")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - what this process was itself started with
