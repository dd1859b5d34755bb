"""A process that is not to serve again starts over after its invocation, before it asks for the next.

A thread that hangs can not be stopped: it would go on in somebody else's invocation. Only our own loop looks
(``aws/runtime/__main__.py``); Lambda's can not be left without failing an invocation.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import NoReturn

logger = logging.getLogger(__name__)

_asked = threading.Event()


def retire() -> None:
    """Let this process start over when its invocation has been answered. Thread-safe."""
    _asked.set()


def retiring() -> bool:
    """Whether this process is to serve no further invocation as it is."""
    return _asked.is_set()


def start_over() -> NoReturn:
    """Become a fresh process, without the threads and the memory of this one.

    Under the same id: an invocation whose process ends has failed for Lambda (``Runtime.ExitError``), though it was
    answered. It lasts until the runtime asks for the next one.
    """
    logger.warning("the process starts over: a run has left code behind that can not be stopped")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - what this process was itself started with
