"""The engine of a function, with the components or without. It takes long to import."""

from __future__ import annotations

import logging
import os
from functools import cache
from threading import Lock, Thread
from typing import Protocol

from agentos_lambda.aws.component_variables import ComponentVariables
from agentos_lambda.aws.functions.clients import own_clients
from agentos_lambda.aws.runtime.recycle import recycle_soon
from agentos_lambda.aws.settings import Settings
from agentos_lambda.lighter_imports import imported_for_good, models_made_when_used
from agentos_lambda.memories.ports import Summarizer
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.engine_ports import Engine
from agentos_lambda.runs.errors import ComponentUnusable

log = logging.getLogger(__name__)

START_SECONDS = 7.0
"""An environment that has not started within 10 seconds is started once more by Lambda, with its first request. What
comes before the components may take the rest: code that nobody has loaded lately is read slowly."""
PROVISIONED_START_SECONDS = 120.0
"""The same with provisioned concurrency, which gives 130 seconds or the function's timeout.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""

_loading = Lock()


class SummarizingEngine(Engine, Summarizer, Protocol):
    """What runs components also summarises memories, with their models and keys."""


def engine() -> SummarizingEngine:
    """The engine, with the components. Takes long the first time.

    Raises ``ComponentUnusable`` if the components or their variables cannot be read. If the variables have changed
    since, the process starts over after this invocation.
    """
    with _loading:
        made, variables = _engine(), _variables()
    if variables is not None and variables.changed():
        recycle_soon()
    return made


def engine_at_once() -> SummarizingEngine | None:
    """The engine, if it is made and its variables need not be asked for now; None if ``engine`` may take time."""
    if not _engine.cache_info().currsize:
        return None
    variables = _variables()
    return _engine() if variables is None or not variables.may_have_changed() else None


def load_engine_at_start(settings: Settings) -> None:
    """Import what every run needs while the function starts, if it is to: then Lambda gives a whole processor.

    Never ends the process. Where components cannot be imported, each run tries again and says why. Where they take
    longer than a start may, the function goes on without them, and the first run waits for the rest.
    """
    if not settings.loads_components_at_start:
        return
    # In a thread, as for a run: components find the same there, and it can be left behind.
    loading = Thread(target=_try_to_load, name="components", daemon=True)
    loading.start()
    provisioned = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency"
    loading.join(PROVISIONED_START_SECONDS if provisioned else START_SECONDS)
    if loading.is_alive():
        log.warning("the components take longer to import than a start may: the first run waits for them")


def _try_to_load() -> None:
    try:
        engine()
    except ComponentUnusable as error:
        log.warning("the components cannot be used: %s", error)


@cache
def _engine() -> SummarizingEngine:
    variables = _variables()
    if variables is not None:
        variables.apply()
    with imported_for_good():
        with models_made_when_used():
            from agentos_lambda.engine.engine import AgnoEngine  # noqa: PLC0415 - not before the first run

        return AgnoEngine()


@cache
def _variables() -> ComponentVariables | None:
    secret = Settings.from_environment().components_secret
    return ComponentVariables(secret, SystemClock(), clients=own_clients()) if secret is not None else None


@cache
def judging_engine() -> Engine:
    """The engine without components: it judges decisions about paused runs, and runs nothing."""
    from agentos_lambda.engine.components.loader import Components  # noqa: PLC0415 - not before the first decision
    from agentos_lambda.engine.engine import AgnoEngine  # noqa: PLC0415

    return AgnoEngine(Components())
