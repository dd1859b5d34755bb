"""A model without its key says where the key goes: on AWS a secret, locally the shell's environment."""

from __future__ import annotations

import os
import re
from functools import cache, wraps
from typing import Any

from agno.exceptions import ModelAuthenticationError, ModelProviderError
from agno.models.base import Model

from agentos_lambda.engine.models.needs import keys_of

_MISSING = re.compile(r"\b([A-Z][A-Z0-9_]*_[A-Z0-9_]+)\b[^.]* not set\b")
"""As agno's models say it, such as: OPENAI_API_KEY not set. Please set …"""
_KEY_ERROR = re.compile(r"api[ _-]?key|authenticat|credential|unauthorized", re.IGNORECASE)
_KEY_STATUSES = (401, 403)


@cache
def say_where_keys_go() -> None:
    """Have agno's error for a missing key, of every model in this process, name what to do."""
    error: Any = ModelAuthenticationError
    error.__init__ = _advising(error.__init__)
    model: Any = Model
    model._is_retryable_error = _noticing_missing_keys(model._is_retryable_error)  # noqa: SLF001 - is asked of each error


def _advising(construct: Any) -> Any:
    """Models that look for their key raise ``ModelAuthenticationError``."""

    @wraps(construct)
    def construct_with_advice(self: Any, message: str, *arguments: Any, **options: Any) -> None:
        construct(self, _with_advice(message), *arguments, **options)

    return construct_with_advice


def _noticing_missing_keys(is_retryable: Any) -> Any:
    """Others leave it to the provider's client, or to the provider, to miss it."""

    @wraps(is_retryable)
    def is_retryable_with_key(self: Any, error: ModelProviderError) -> bool:
        name = _missing_key(self) if _is_of_a_key(error) else None
        if name is None:
            return bool(is_retryable(self, error))
        error.message = _advice(name)
        return False

    return is_retryable_with_key


def _is_of_a_key(error: ModelProviderError) -> bool:
    return error.status_code in _KEY_STATUSES or _KEY_ERROR.search(str(error.message)) is not None


def _missing_key(model: Any) -> str | None:
    """The variable that the model's class reads for its key, if the model has no key by any way."""
    names = keys_of(model)
    clients = (getattr(model, name, None) for name in ("client", "async_client"))
    if any(map(os.environ.get, names)) or any(getattr(client, "api_key", None) for client in clients):
        return None
    return next(iter(names), None)


def _with_advice(message: str) -> str:
    missing = _MISSING.search(message)
    if missing is None:
        return message
    return _advice(missing[1])


def _advice(name: str) -> str:
    secret = os.environ.get("COMPONENTS_SECRET", "").rpartition(":")[2]
    if secret:
        return f"{name} is not set. Run `make secret NAME={name}`, which writes it to the secret {secret}."
    return f"{name} is not set. Set it in the shell that starts `make run`; on AWS use `make secret NAME={name}`."
