"""The security key, which callers have to present."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol, runtime_checkable


class KeySource(Protocol):
    """Where the security key comes from."""

    def __call__(self) -> str | None:
        """The current key; None if none is configured. May block. Raises ``StoreUnavailable`` if it cannot be read:
        then every request is refused."""


@runtime_checkable
class RereadableKey(Protocol):
    """A ``KeySource`` that remembers the key, so that what it gives may be outdated."""

    def remembered(self) -> str | None:
        """The key, if it need not be read for that; None if it has to be. Never blocks."""

    def reread(self) -> str | None:
        """The key, read again, unless it was just now. Raises ``StoreUnavailable``."""


def admits(source: KeySource, matches: Callable[[str], bool]) -> bool:
    """Whether there is no key, or it matches. If it does not, it may have been changed: it is read again.

    Raises ``StoreUnavailable``.
    """
    key = source()
    if key is None or matches(key):
        return True
    if not isinstance(source, RereadableKey):
        return False
    key = source.reread()
    return key is None or matches(key)


def same_key(given: str, key: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(_bytes(given), _bytes(key))


def proof_of(key: str, connection_id: str) -> str:
    """What a connection that has presented the key stores of it: worth nothing to any other connection, and no longer
    that of the key once the key has been changed."""
    return hmac.new(_bytes(key), _bytes(f"connection {connection_id}"), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # JSON may contain lone surrogates
