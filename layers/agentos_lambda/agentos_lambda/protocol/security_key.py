"""The security key, which callers have to present."""

from __future__ import annotations

import hmac
from collections.abc import Callable

KeySource = Callable[[], str | None]
"""The current security key; None if none is configured. May block. Raises ``StoreUnavailable`` if it cannot be read:
then every request is refused."""


def same_key(given: str, key: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), key.encode())
