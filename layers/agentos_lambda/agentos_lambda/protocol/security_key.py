"""The security key that callers prove to have."""

from __future__ import annotations

import hmac
from collections.abc import Callable

KeySource = Callable[[], str | None]
"""The security key as it is now, or None where none is configured. May block. Raises ``StoreUnavailable`` when it can
not be told: then nobody gets in."""


def same_key(given: str, key: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), key.encode())
