"""From a token to a principal. The section of RFC 8725 that asks for a check is named beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from agentos_lambda.identity.claims import ClaimRules
from agentos_lambda.identity.errors import InvalidToken
from agentos_lambda.identity.principal import Principal
from agentos_lambda.identity.tokens.keys import ALGORITHMS, SECRET_BYTES, Key, UnusableKey, select
from agentos_lambda.protocol.strict_json import parse_json
from agentos_lambda.runs.clock import Clock

MAX_TOKEN_LENGTH = 16_384
"""Characters."""

_SEGMENTS = 3
_LONGEST_REASON = 200
"""Characters."""
_TYPES = frozenset({"jwt", "at+jwt"})
"""Of tokens that may grant access (RFC 7519 5.1, RFC 9068 2.1)."""


class TokenKeys(Protocol):
    """Where the keys come from."""

    def keys(self) -> Sequence[Key]:
        """The keys that count now. May block. Raises ``KeysUnavailable``."""

    def reread(self) -> Sequence[Key]:
        """The keys, read again unless it was just now, because a token names another. Raises ``KeysUnavailable``."""


class FixedKeys:
    """Keys that stay while the process lives. Implements ``TokenKeys``."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    def keys(self) -> Sequence[Key]:
        return self._keys

    def reread(self) -> Sequence[Key]:
        return self._keys


def allowed_algorithms(names: Sequence[str]) -> frozenset[str]:
    """The algorithms of a configuration. Raises ``UnusableKey`` for one that is unknown, and for secrets beside public
    keys: then a public key could be taken for a secret (RFC 8725 2.1, 3.1)."""
    unknown = set(names) - ALGORITHMS
    if unknown or not names:
        raise UnusableKey(f"not an algorithm of tokens: {', '.join(sorted(unknown)) or 'none is named'}")
    symmetric = set(names) & set(SECRET_BYTES)
    if symmetric and symmetric != set(names):
        raise UnusableKey("algorithms with a secret and algorithms with a public key cannot be allowed together")
    return frozenset(names)


class TokenVerifier:
    """Verifies signed tokens by keys and rules of the configuration, and by nothing that the token says of itself."""

    def __init__(self, source: TokenKeys, algorithms: frozenset[str], rules: ClaimRules, clock: Clock) -> None:
        self._source = source
        self._algorithms = algorithms
        self._rules = rules
        self._clock = clock
        self._jws = PyJWS(algorithms=sorted(algorithms))

    def verify(self, token: str) -> Principal:
        """The principal whom the token names. May block. Raises ``Unauthorized``, ``KeysUnavailable``."""
        algorithm, kid = self._header(token)
        payload = self._first_valid(token, algorithm, kid)
        return self._rules.principal(_claims(payload), now=self._clock.now())

    def _header(self, token: str) -> tuple[str, str | None]:
        """The algorithm, which is one of the configuration's, and the name of the key."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken("Token is too long")
        segments = token.count(".") + 1
        if segments != _SEGMENTS:  # five are an encrypted token, which may be compressed (3.6)
            raise InvalidToken("Not enough segments" if segments < _SEGMENTS else "Too many segments")
        with _refusing():  # of critical headers PyJWT refuses all that it does not know (RFC 7515 4.1.11)
            header = self._jws.get_unverified_header(token)
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:  # 3.1, 3.2: `none` never is
            raise InvalidToken("The specified alg value is not allowed")
        if kind is not None and (not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES):
            raise InvalidToken("The token has another purpose")  # 3.11
        return algorithm, kid if isinstance(kid, str) else None

    def _first_valid(self, token: str, algorithm: str, kid: str | None) -> bytes:
        """The payload, if one of the keys has signed it."""
        refusal = InvalidToken("Signature verification failed")
        for key in self._candidates(algorithm, kid):
            try:
                return self._signed(token, key, algorithm)
            except InvalidToken as failure:
                refusal = failure
        raise refusal

    def _candidates(self, algorithm: str, kid: str | None) -> Iterator[Key]:
        """The keys that may have signed the token. Where it names none that is known, they may have been replaced."""
        known = select(self._source.keys(), kid, algorithm)
        yield from known
        if kid is None or all(key.kid != kid for key in known):
            yield from (key for key in select(self._source.reread(), kid, algorithm) if key not in known)

    def _signed(self, token: str, key: Key, algorithm: str) -> bytes:
        with _refusing():
            payload: bytes = self._jws.decode(token, key.material, algorithms=[algorithm])
            return payload


@contextmanager
def _refusing() -> Iterator[None]:
    """Raises ``InvalidToken`` in PyJWT's words, or in ours if it trips over the token."""
    try:
        yield
    except PyJWTError as error:
        raise InvalidToken(_reason(error)) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("Invalid header string") from error


def _reason(error: PyJWTError) -> str:
    """PyJWT's words. They may quote a header that nobody has signed: at any length, and with what no answer can say."""
    return str(error).encode(errors="replace").decode()[:_LONGEST_REASON] or "Invalid token"


def _claims(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = parse_json(payload.decode())  # 3.7: UTF-8 and nothing else
    except ValueError as error:
        raise InvalidToken("Invalid payload string") from error
    if not isinstance(claims, dict):
        raise InvalidToken("Invalid payload string: must be a json object")
    return claims
