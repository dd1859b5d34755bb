"""The tokens that a run uses, counted with each answer of any of its models.

agno's own sums are of one component each: a team's has nothing of its members, and a run that is cancelled or fails has
none of what its models have told.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

from agno.models.base import Model
from agno.models.response import ModelResponse

from agentos_lambda.runs.usage import Usage

_MOST = 10**12
"""No answer has as many."""


class TokenCount:
    """What one run has used so far. Thread-safe."""

    def __init__(self) -> None:
        self._used = Usage()
        self._lock = threading.Lock()

    def add(self, response: ModelResponse) -> None:
        """Count what this answer, or this piece of one, has cost. Providers tell it once, with one of the pieces."""
        usage = response.response_usage
        if usage is not None:
            with self._lock:
                self._used = self._used.plus(Usage(_whole(usage.input_tokens), _whole(usage.output_tokens)))

    def used(self) -> Usage:
        with self._lock:
            return self._used


def _whole(told: Any) -> int:
    """The number of tokens, as a model has told it, which the deployer may have written: the record has whole ones."""
    return int(told) if isinstance(told, int | float) and 0 <= told < _MOST else 0


_of_run: ContextVar[TokenCount | None] = ContextVar("tokens", default=None)


def count_tokens(count: TokenCount) -> None:
    """From now on, what models use in the current context, or in one that comes of it, is counted here."""
    _of_run.set(count)


@cache
def watch_models() -> None:
    """Have each answer of a model counted: agno takes the whole ones and the pieces by a method each."""
    model: Any = Model
    model._populate_assistant_message = _counting(model._populate_assistant_message, "provider_response")  # noqa: SLF001
    model._populate_stream_data = _counting(model._populate_stream_data, "model_response_delta")  # noqa: SLF001


def _counting(take: Callable[..., Any], name: str) -> Callable[..., Any]:
    parameters = inspect.signature(take)

    @wraps(take)
    def counted(*arguments: Any, **options: Any) -> Any:
        count = _of_run.get()
        if count is not None:
            given = options if name in options else parameters.bind(*arguments, **options).arguments
            count.add(given[name])
        return take(*arguments, **options)

    return counted
