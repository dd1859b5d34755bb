"""A model without its key says where the key goes: on AWS a secret, locally the shell's environment."""

from __future__ import annotations

import os
import re
from functools import cache, wraps
from typing import Any

from agno.exceptions import ModelAuthenticationError

_MISSING = re.compile(r"\b([A-Z][A-Z0-9_]*_[A-Z0-9_]+)\b[^.]* not set\b")
"""As agno's models say it, such as: OPENAI_API_KEY not set. Please set …"""


@cache
def say_where_keys_go() -> None:
    """Have agno's error for a missing key, of every model in this process, name what to do."""
    error: Any = ModelAuthenticationError
    construct = error.__init__

    @wraps(construct)
    def construct_with_advice(self: Any, message: str, *arguments: Any, **options: Any) -> None:
        construct(self, _with_advice(message), *arguments, **options)

    error.__init__ = construct_with_advice


def _with_advice(message: str) -> str:
    missing = _MISSING.search(message)
    if missing is None:
        return message
    name, secret = missing[1], os.environ.get("COMPONENTS_SECRET", "").rpartition(":")[2]
    if secret:
        return f"{name} is not set. Run `make secret NAME={name}`, which writes it to the secret {secret}."
    return f"{name} is not set. Set it in the shell that starts `make run`; on AWS use `make secret NAME={name}`."
