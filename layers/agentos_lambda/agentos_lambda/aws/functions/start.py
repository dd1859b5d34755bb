"""What every function starts with."""

from __future__ import annotations

from agentos_lambda.aws.logs import set_levels, silence
from agentos_lambda.aws.metrics import count_cold_start
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine import LOGGERS
from agentos_lambda.engine.components.manifest import Manifest
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.clock import Clock


def begin(settings: Settings, clock: Clock) -> None:
    """Set up the log, and count the start."""
    set_levels(settings.log_level)
    if settings.stack is not None:
        silence(LOGGERS)  # a run's error is in its record, for its caller
        count_cold_start(settings.stack, clock)


def catalog() -> Manifest:
    """The components as the build described them, else as they are now.

    Raises ``ManifestError``, ``ComponentsError``.
    """
    return Manifest.load(_describe_components)


def _describe_components() -> JsonObject:
    from agentos_lambda.engine.components.build_manifest import describe_components  # noqa: PLC0415 - imports the engine

    return describe_components()
