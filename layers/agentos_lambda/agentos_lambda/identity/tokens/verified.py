"""Tokens that were verified a moment ago: a client sends the same one with each of its requests."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from agentos_lambda.identity.authority import Tokens
from agentos_lambda.identity.claims import SKEW_SECONDS
from agentos_lambda.identity.errors import Expired
from agentos_lambda.identity.principal import Principal
from agentos_lambda.runs.clock import Clock, Stopwatch

COUNTS_MS = 60_000
"""How long a signature is not looked at again. So much later does a withdrawn key cease to count."""

MAX_TOKENS = 256


class VerifiedTokens:
    """Implements ``Tokens`` by another one, and remembers what that has verified, by a hash. Thread-safe."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[Principal, Stopwatch]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Principal:
        name = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        with self._lock:
            known = self._verified.get(name)
        if known is not None and known[1].elapsed_ms() < COUNTS_MS:
            return self._unexpired(known[0])
        since = Stopwatch(self._clock)
        principal = self._tokens.verify(token)
        with self._lock:
            self._verified[name] = (principal, since)
            self._verified.move_to_end(name)
            if len(self._verified) > MAX_TOKENS:
                self._verified.popitem(last=False)
        return principal

    def _unexpired(self, principal: Principal) -> Principal:
        if principal.expires_at is not None and principal.expires_at <= self._clock.now() - SKEW_SECONDS * 1000:
            raise Expired
        return principal
