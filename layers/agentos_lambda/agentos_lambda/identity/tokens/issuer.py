"""The keys of an OpenID Connect issuer: found by discovery, remembered for a while, and read again when they rotate.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from agentos_lambda.identity.errors import KeysUnavailable
from agentos_lambda.identity.tokens.keys import Key, UnusableKey, key_set
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.remembered import Freshness, Remembered

log = logging.getLogger(__name__)

FRESHNESS = Freshness(fresh_ms=600_000, max_age_ms=3_600_000, reread_interval_ms=30_000, unknown_interval_ms=5_000)
"""A key that the issuer has withdrawn counts for ten minutes, and for an hour if the issuer cannot be reached. An
unknown key makes an environment ask at most every half minute."""

Fetch = Callable[[str], Any]
"""Gives the JSON at a URL. Raises ``KeysUnavailable``."""


class IssuerKeys:
    """Implements ``verifier.TokenKeys``. Thread-safe."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Clock, *, keys_url: str | None = None) -> None:
        """``keys_url``: where the keys are, if they are not to be found by discovery."""
        self._issuer = issuer
        self._keys_url = keys_url
        self._fetch = fetch
        self._keys = Remembered(self._read, clock, FRESHNESS)

    def keys(self) -> Sequence[Key]:
        return _required(self._keys.value())

    def reread(self) -> Sequence[Key]:
        return _required(self._keys.reread())

    def _read(self) -> tuple[Key, ...]:
        try:
            return self._fetched()
        except KeysUnavailable as failure:
            log.error("the keys of the issuer cannot be read: %s", failure)  # noqa: TRY400 - its text is all there is
            raise

    def _fetched(self) -> tuple[Key, ...]:
        try:
            keys = key_set(self._fetch(self._keys_url or self._discovered()))
        except UnusableKey as failure:
            raise KeysUnavailable(str(failure)) from failure
        # A secret in a public document is none.
        public = tuple(key for key in keys if not isinstance(key.material, bytes))
        if not public:
            raise KeysUnavailable("the issuer has no usable key")
        return public

    def _discovered(self) -> str:
        configuration = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        # Otherwise one issuer could speak for another (section 4.3).
        if not isinstance(configuration, dict) or configuration.get("issuer") != self._issuer:
            raise KeysUnavailable("the document of the issuer names another issuer")
        url = configuration.get("jwks_uri")
        if not isinstance(url, str):
            raise KeysUnavailable("the document of the issuer names no keys")
        return url


def _required(keys: tuple[Key, ...] | None) -> Sequence[Key]:
    if keys is None:
        raise KeysUnavailable("the keys of the issuer cannot be read")
    return keys
