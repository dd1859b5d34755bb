"""The engine behind ``agentos_lambda.runs.ports.Engine``: agno. Only modules of this package import agno.

Importing the package prepares agno without importing it: no telemetry, and no line of its own below a warning. agno
sets its loggers' levels again with every run, so a filter does it.
"""

import logging
import os

os.environ.setdefault("AGNO_TELEMETRY", "false")

LOGGERS = ("agno", "agno-team", "agno-workflow")
"""Names of agno's loggers. What it says of a run that has failed may quote what the run was asked."""


def _is_warning(record: logging.LogRecord) -> bool:
    # A workflow has no database of its own here: each run gets one, so its history is kept.
    return record.levelno >= logging.WARNING and "no database is configured" not in record.getMessage()


for _name in LOGGERS:
    _logger = logging.getLogger(_name)
    _logger.setLevel(logging.WARNING)  # a logger that has a level gets no handler of agno's own
    _logger.addFilter(_is_warning)
