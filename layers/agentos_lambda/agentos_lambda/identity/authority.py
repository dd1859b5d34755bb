"""Lets callers in: by the security key, by tokens, or without either where neither is configured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

from agentos_lambda.identity.accounts.model import TOKEN_PREFIX
from agentos_lambda.identity.errors import Expired, Forbidden, Missing, WrongAccount, WrongKey
from agentos_lambda.identity.principal import KEY_HOLDER, NOBODY, Principal, PrincipalKind
from agentos_lambda.identity.scopes import Scopes
from agentos_lambda.protocol.security_key import KeySource, RereadableKey, admits, proof_of, same_key
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.limits import Limits

NO_IDENTITY = "Authenticated request is missing a user identity"
_KEY_MISSING = "Authorization header required"
_TOKEN_MISSING = "Authorization header missing"  # noqa: S105 - a sentence of AgentOS
_DOTS = 2
"""In a signed token."""


AuthMode = Literal["none", "security_key", "jwt"]
"""How callers show who they are (``auth_mode`` of ``GET /info``, the AgentOS 3.1 API)."""


class Tokens(Protocol):
    """Verifies tokens."""

    def verify(self, token: str) -> Principal:
        """The principal whom the token names. May block. Raises ``Unauthorized``, ``KeysUnavailable``."""


class Accounts(Protocol):
    """Knows the service accounts. Methods may block, and raise ``AccountsUnavailable``."""

    def verify(self, token: str, source: str | None = None) -> Principal:
        """The principal whose token this is, which came from this address. Raises ``WrongAccount``,
        ``TooManyFailures``."""

    def principal(self, account_id: str) -> Principal | None:
        """The principal of an account whose token was verified; None if it does not count any more."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a WebSocket connection has shown: kept with it, and looked at again for each of its messages."""

    proof: str | None = None
    """Of the security key (``protocol.security_key.proof_of``)."""
    subject: str | None = None
    """Of the token; None if it names nobody, or if it was the key."""
    scopes: tuple[str, ...] = ()
    expires_at: int | None = None
    """When the token expires, in milliseconds since the epoch; None if never."""
    account_id: str | None = None
    """Of the service account whose token it was."""
    limits: Limits | None = None
    """Of the token."""

    def is_of(self, earlier: Grant) -> bool:
        """Whether both were shown by the same principal."""
        shown = [(each.proof is None, each.subject, each.account_id) for each in (self, earlier)]
        return shown[0] == shown[1]

    def renews(self, earlier: Grant) -> bool:
        """Whether this is a later token of the same user, who may do no less than before."""
        if not self.is_of(earlier) or self.proof is not None or self.expires_at == earlier.expires_at:
            return False
        return Scopes(self.scopes).cover(Scopes(earlier.scopes))


class Authority:
    """Decides who a caller is. Methods may block, and raise ``StoreUnavailable`` if it cannot be known now."""

    def __init__(
        self,
        key: KeySource,
        clock: Clock,
        *,
        tokens: Tokens | None = None,
        accounts: Accounts | None = None,
        takes_key: bool = True,
        isolates_users: bool = False,
    ) -> None:
        """Without ``tokens``, only the key counts, and service accounts. ``takes_key``: whether it counts beside
        them. ``accounts``: without, those of nobody."""
        self._key = key
        self._rereadable = key if isinstance(key, RereadableKey) else None  # not at each request: that takes 100 µs
        self._clock = clock
        self._tokens = tokens
        self._accounts = accounts
        self._takes_key = takes_key or tokens is None
        self.audits = tokens is not None
        self.isolates_users = isolates_users and tokens is not None
        self._key_holder = replace(KEY_HOLDER, audited=self.audits)

    def mode(self) -> AuthMode:
        """What callers have to present."""
        if self._tokens is not None:
            return "jwt"
        return "none" if self._key() is None else "security_key"

    def is_guarded(self) -> bool:
        """Whether callers have to present anything. Asks no other service: where there is a secret, there is a key."""
        if self._tokens is not None or self._rereadable is not None:
            return True
        try:
            return self._key() is not None
        except StoreUnavailable:
            return True

    def principal(self, token: str | None, source: str | None = None) -> Principal:
        """Whom the token stands for, which came from the address ``source``.

        Raises ``Unauthorized``, ``TooManyFailures``, and ``Forbidden`` for a user without a name it needs.
        """
        if token is not None and token.startswith(TOKEN_PREFIX):
            if self._accounts is None:
                raise WrongAccount
            return self._accounts.verify(token, source)
        if self._tokens is None:
            return self._by_key(token)
        if token is None:
            raise Missing(_TOKEN_MISSING)
        key_counts = self._takes_key and self._key_is(token)
        return self._key_holder if key_counts else self._restricted(self._tokens.verify(token))

    def known(self, token: str | None) -> Principal | None:
        """The principal, if nobody has to be asked for it; None if ``principal`` has to be. Never blocks."""
        if self._tokens is not None or (token is not None and token.startswith(TOKEN_PREFIX)):
            return None
        if self._rereadable is None:
            key = self._key()
            if key is None:
                return NOBODY
        else:
            key = self._rereadable.remembered()
        return self._key_holder if key is not None and token is not None and same_key(token, key) else None

    def still_counts(self, principal: Principal) -> bool:
        """Whether one that was let in would still be, as far as that is its account's to say: not if it was revoked
        since, or has expired. While that cannot be known, it would."""
        if principal.account_id is None or self._accounts is None:
            return True
        try:
            return self._accounts.principal(principal.account_id) is not None
        except StoreUnavailable:
            return True

    def grant(self, principal: Principal, token: str, connection_id: str) -> Grant | None:
        """What a connection keeps of the token that it has presented; None if it needed none.

        Raises ``Expired`` also within the skew of clocks: a connection's authority ends with its token.
        """
        if self._has_expired(principal.expires_at):
            raise Expired
        if principal.kind is PrincipalKind.NOBODY:
            return None
        if principal.kind is PrincipalKind.KEY:
            return Grant(proof_of(token, connection_id))
        return Grant(
            None,
            principal.subject,
            principal.scopes.texts,
            principal.expires_at,
            principal.account_id,
            principal.limits,
        )

    def granted(self, grant: Grant | None, connection_id: str) -> Principal | None:
        """Who a connection is that has kept this; None if it has to authenticate, for the first time or again."""
        if grant is None:
            return NOBODY if not self.is_guarded() else None
        if grant.proof is not None:
            proof = grant.proof
            counts = self._takes_key and admits(self._key, lambda key: same_key(proof_of(key, connection_id), proof))
            return self._key_holder if counts else None
        if grant.account_id is not None:
            return self._accounts.principal(grant.account_id) if self._accounts is not None else None
        if self._tokens is None or self._has_expired(grant.expires_at):
            return None
        return self._restricted(
            Principal(
                PrincipalKind.USER,
                grant.subject,
                Scopes(grant.scopes),
                expires_at=grant.expires_at,
                limits=grant.limits,
            )
        )

    def _has_expired(self, expires_at: int | None) -> bool:
        return expires_at is not None and expires_at <= self._clock.now()

    def _by_key(self, token: str | None) -> Principal:
        if self._key() is None:
            return NOBODY
        if token is None:
            raise Missing(_KEY_MISSING)
        if not admits(self._key, partial(same_key, token)):
            raise WrongKey
        return self._key_holder

    def _key_is(self, token: str) -> bool:
        """Whether this is the security key, beside tokens. What looks like a token does not have the secret read again,
        and does not depend on it."""
        is_token = token.count(".") == _DOTS
        try:
            key = self._key()
        except StoreUnavailable:
            if is_token:
                return False
            raise
        if key is None or is_token:
            return key is not None and same_key(token, key)
        return admits(self._key, partial(same_key, token))

    def _restricted(self, user: Principal) -> Principal:
        isolated = self.isolates_users and not user.scopes.admin
        if isolated and user.subject is None:
            raise Forbidden(NO_IDENTITY)
        return replace(user, isolated=isolated, audited=True)
