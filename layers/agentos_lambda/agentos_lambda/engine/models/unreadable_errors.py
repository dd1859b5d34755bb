"""Errors that agno 3.1 tells as an object and its address, such as those in the middle of a stream of Gemini."""

from __future__ import annotations

import re
import sys
from functools import cache, wraps
from typing import Any

from agno.exceptions import ModelProviderError
from agno.models.base import Model

_OBJECT = re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>")


@cache
def tell_errors_in_words() -> None:
    """Have every model of this process tell what its client said, where agno tells an object."""
    model: Any = Model
    model._is_retryable_error = _in_words(model._is_retryable_error)  # noqa: SLF001 - is asked of each error


def _in_words(is_retryable: Any) -> Any:
    @wraps(is_retryable)
    def is_retryable_in_words(self: Any, error: ModelProviderError) -> bool:
        handled = sys.exception()  # agno's own error, which it has made of the client's
        if _OBJECT.fullmatch(str(error.message)) and handled is not None and handled.__cause__ is not None:
            error.message = str(handled.__cause__)
        return bool(is_retryable(self, error))

    return is_retryable_in_words
