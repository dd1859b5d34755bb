"""An environment that is not to serve again leaves after its invocation; Lambda starts a fresh one for the next.

A thread that hangs can not be stopped: it would go on in somebody else's invocation. Only our own loop looks
(``aws/runtime.py``); Lambda's can not be left without failing an invocation.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

_asked = threading.Event()


def retire() -> None:
    """Let this process leave when its invocation has been answered. Thread-safe."""
    _asked.set()


def retiring() -> bool:
    """Whether this process is to serve no further invocation."""
    return _asked.is_set()


def leave() -> None:
    """End the process at once: an orderly exit would wait for the thread that hangs."""
    logger.warning("the environment leaves: a run has left code behind that can not be stopped")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
