"""What every function does first, when its environment starts."""

from __future__ import annotations

from agentos_lambda.aws.logs import set_levels, silence
from agentos_lambda.aws.metrics import count_cold_start
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine import LOGGERS
from agentos_lambda.runs.clock import Clock


def begin(settings: Settings, clock: Clock) -> None:
    """Set up the log, and count the start."""
    set_levels(settings.log_level)
    if settings.stack is not None:
        silence(LOGGERS)  # a run's error is in its record, for its caller
        count_cold_start(settings.stack, clock)
