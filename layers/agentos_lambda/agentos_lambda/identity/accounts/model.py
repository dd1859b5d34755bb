"""A service account, and the token that it shows. All times are milliseconds since the epoch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from agentos_lambda.runs.limits import Limits

TOKEN_PREFIX = "agno_pat_"  # noqa: S105 - how every token begins, so that scanners of secrets find it

DEFAULT_SCOPES = ("agents:run", "teams:run", "workflows:run", "sessions:read", "config:read")
"""Of an account that is created without any."""

PRINCIPAL_PREFIX = "sa:"

_SECRET_BYTES = 32
_SHOWN = len(TOKEN_PREFIX) + 7
"""Characters of a token that are kept, to tell it from others."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[0-9A-Za-z]{{16,64}}")
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PRIVILEGED_ACTIONS = frozenset({"write", "delete"})
_PRIVILEGED_RESOURCES = frozenset({"agent_os", "service_accounts"})
_PARTS = (2, 3)
"""Of a scope: with and without an id."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account. Nothing of it changes, except that it is revoked once."""

    id: str
    """Follows from the token, so that one read finds the account by either."""
    name: str
    token_hash: str
    """SHA-256 of the token, in hexadecimal digits: the token itself is stored nowhere."""
    token_prefix: str
    """How the token begins, for people who look at lists."""
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    """None if never."""
    created_by: str | None = None
    """The subject of the token that created it, who is its owner, too; None for a holder of the security key."""
    revoked_at: int | None = None
    limits: Limits | None = None

    @property
    def principal(self) -> str:
        """Whom it acts as: the user of its runs."""
        return f"{PRINCIPAL_PREFIX}{self.name}"

    def counts(self, *, now: int) -> bool:
        """Whether its token lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A token that nobody can guess. ``random_bytes`` gives so many."""
    number, digits = int.from_bytes(random_bytes(_SECRET_BYTES)), []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return TOKEN_PREFIX + "".join(reversed(digits)).rjust(_SHOWN, "0")


def is_token(text: str) -> bool:
    """Whether the text can be a token of ours: any other belongs to no account."""
    return _TOKEN.fullmatch(text) is not None


def shown_part(token: str) -> str:
    return token[:_SHOWN]


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def id_of(token_hash: str) -> str:
    """The id of the account with this token: the first half of its hash as a UUID of version 8 (RFC 9562)."""
    return str(UUID(hex=f"{token_hash[:12]}8{token_hash[13:16]}8{token_hash[17:32]}"))


def is_account_id(text: str) -> bool:
    """Whether the text can be the id of an account."""
    return _ID.fullmatch(text) is not None


def malformed(scopes: Iterable[str]) -> list[str]:
    """Those that are not scopes."""
    return [scope for scope in scopes if len(parts := scope.split(":")) not in _PARTS or not all(parts)]


def privileged(scopes: Iterable[str]) -> list[str]:
    """Those with which an account could change things, or make accounts."""
    parsed = ((scope, scope.split(":")) for scope in scopes)
    return [scope for scope, parts in parsed if parts[-1] in _PRIVILEGED_ACTIONS or parts[0] in _PRIVILEGED_RESOURCES]
