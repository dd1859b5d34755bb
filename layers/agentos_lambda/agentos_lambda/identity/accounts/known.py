"""Finds out which account a token belongs to, and whether it still counts."""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agentos_lambda.identity.accounts.model import ServiceAccount, hash_of, id_of, is_token
from agentos_lambda.identity.errors import AccountsUnavailable, TooManyFailures, WrongAccount
from agentos_lambda.identity.principal import Principal, PrincipalKind
from agentos_lambda.identity.scopes import Scopes
from agentos_lambda.runs.clock import Clock, Stopwatch
from agentos_lambda.runs.errors import StoreUnavailable

COUNTS_MS = 60_000
"""How long an account is not read again. So much later does a revoked one cease to count."""

MAX_ACCOUNTS = 2_048
MAX_FAILURES = 20
"""Wrong tokens from one address in a minute, after which the answer to further ones is 429 instead of 401."""
_WINDOW_MS = 60_000
_MAX_SOURCES = 1_024


class KnownAccounts:
    """Accounts as they were read within the last minute, in this process. Thread-safe."""

    def __init__(self, find: Callable[[str], ServiceAccount | None], clock: Clock) -> None:
        """``find``: that of ``ports.AccountStore``."""
        self._find = find
        self._clock = clock
        self._read: OrderedDict[str, tuple[ServiceAccount | None, Stopwatch]] = OrderedDict()
        self._failures = _Failures(clock)
        self._lock = threading.Lock()

    def verify(self, token: str, source: str | None = None) -> Principal:
        """The principal whose token this is. ``source``: the address that it comes from. May block.

        Right tokens are never held up by wrong ones. Raises ``WrongAccount``, ``TooManyFailures``,
        ``AccountsUnavailable``.
        """
        token_hash = hash_of(token) if is_token(token) else None
        account = self._current(id_of(token_hash)) if token_hash is not None else None
        if account is None or token_hash is None or not hmac.compare_digest(account.token_hash, token_hash):
            if not self._failures.note(source or ""):
                raise TooManyFailures
            raise WrongAccount
        return _principal(account)

    def principal(self, account_id: str) -> Principal | None:
        """Who has shown this account's token before; None if the account does not count any more. May block.

        Raises ``AccountsUnavailable``.
        """
        account = self._current(account_id)
        return _principal(account) if account is not None else None

    def forget(self, account_id: str) -> None:
        """Read the account again when it is asked for next: it has changed."""
        with self._lock:
            self._read.pop(account_id, None)

    def _current(self, account_id: str) -> ServiceAccount | None:
        """The account, if it counts."""
        account = self._remembered(account_id)
        return account if account is not None and account.counts(now=self._clock.now()) else None

    def _remembered(self, account_id: str) -> ServiceAccount | None:
        with self._lock:
            known = self._read.get(account_id)
        if known is not None and known[1].elapsed_ms() < COUNTS_MS:
            return known[0]
        since = Stopwatch(self._clock)
        with _unavailable():
            account = self._find(account_id)
        with self._lock:
            self._read[account_id] = (account, since)
            self._read.move_to_end(account_id)
            if len(self._read) > MAX_ACCOUNTS:
                self._read.popitem(last=False)
        return account


class _Failures:
    """Counts failures in the minute that began with a source's first one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[int, Stopwatch]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, source: str) -> bool:
        """Count one. False if there were as many as there may be."""
        with self._lock:
            count, since = self._counted.get(source) or (0, Stopwatch(self._clock))
            if since.elapsed_ms() >= _WINDOW_MS:
                count, since = 0, Stopwatch(self._clock)
            self._counted[source] = (count + 1, since)
            self._counted.move_to_end(source)
            if len(self._counted) > _MAX_SOURCES:
                self._counted.popitem(last=False)
            return count < MAX_FAILURES


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as failure:
        raise AccountsUnavailable(str(failure)) from failure


def _principal(account: ServiceAccount) -> Principal:
    """An account sees what is its own, whatever the setting for users is, unless it is an admin (AgentOS 3.1)."""
    scopes = Scopes(account.scopes)
    return Principal(
        PrincipalKind.ACCOUNT,
        account.principal,
        scopes,
        isolated=not scopes.admin,
        expires_at=account.expires_at,
        audited=True,
        account_id=account.id,
        limits=account.limits,
    )
