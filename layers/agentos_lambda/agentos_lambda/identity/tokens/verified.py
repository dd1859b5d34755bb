"""Tokens that were verified before: a client sends the same one with each of its requests."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

from agentos_lambda.identity.authority import Tokens
from agentos_lambda.identity.claims import SKEW_SECONDS
from agentos_lambda.identity.errors import Expired
from agentos_lambda.identity.principal import Principal
from agentos_lambda.identity.tokens.keys import Key
from agentos_lambda.identity.tokens.verifier import TokenKeys
from agentos_lambda.runs.clock import Clock

MAX_TOKENS = 256


class VerifiedTokens:
    """Implements ``Tokens`` by another one, and remembers what that has verified, by a hash. Thread-safe.

    A token counts until it expires, as long as its keys are the ones that count: keys that were read again verify it
    again. So a withdrawn key counts no longer here than it would without this.
    """

    def __init__(self, tokens: Tokens, source: TokenKeys, clock: Clock) -> None:
        """``source``: the keys that ``tokens`` verifies with."""
        self._tokens = tokens
        self._source = source
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[Principal, Sequence[Key]]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str) -> Principal:
        keys = self._source.keys()
        name = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        with self._lock:
            known = self._verified.get(name)
        if known is not None and known[1] is keys:
            return self._unexpired(known[0])
        principal = self._tokens.verify(token)
        with self._lock:
            self._verified[name] = (principal, keys)
            self._verified.move_to_end(name)
            if len(self._verified) > MAX_TOKENS:
                self._verified.popitem(last=False)
        return principal

    def _unexpired(self, principal: Principal) -> Principal:
        if principal.expires_at is not None and principal.expires_at <= self._clock.now() - SKEW_SECONDS * 1000:
            raise Expired
        return principal
