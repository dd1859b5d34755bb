"""Log lines as Lambda's own Python runtime writes them: text, or JSON where the function's configuration asks for it.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterable
from io import TextIOWrapper
from typing import Any


class _RequestId:
    """The invocation that this process works for. It belongs to the process, not to a context: an environment has one
    invocation at a time, and its threads log for it, too."""

    def __init__(self) -> None:
        self._current = "-"

    def get(self) -> str:
        return self._current

    def take(self, context: Any) -> None:
        """Take the id from the context that a handler was given."""
        self._current = getattr(context, "aws_request_id", "-")


request_id = _RequestId()

_LEVELS = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}
"""Lambda's names of levels that Python does not have."""

_OWN = "agentos_lambda"

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("[%(levelname)s]\t%(asctime)s\t%(request_id)s\t%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id.get()
        return super().format(record)


class _JsonFormatter(_TextFormatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": request_id.get(),
            **{name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD},
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
            line["errorType"] = type(error).__name__
            line["errorMessage"] = str(error)
            line["stackTrace"] = traceback.format_exception(error)
        return json.dumps(line, default=str)


def configure_logging() -> None:
    """Send the log to standard output, in the format and from the level that the environment variables name."""
    if isinstance(sys.stdout, TextIOWrapper):  # what a component prints must not wait for the next invocation
        sys.stdout.reconfigure(line_buffering=True)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter() if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON" else _TextFormatter())
    logging.basicConfig(handlers=[handler])
    set_levels(os.environ.get("AWS_LAMBDA_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")


def silence(names: Iterable[str]) -> None:
    """Log nothing from these loggers."""
    for name in names:
        logging.getLogger(name).disabled = True


def set_levels(level: str) -> None:
    """Log from this level on in our own package, and from INFO at the lowest in all others: at DEBUG, SDKs log whole
    requests, with what was asked and answered."""
    own = logging.getLogger(_OWN)
    own.setLevel(_LEVELS.get(level.upper(), level.upper()))
    logging.getLogger().setLevel(max(own.level, logging.INFO))
