"""Creates, lists and revokes service accounts. Sentences are those of AgentOS 3.1.10."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentos_lambda.identity.accounts.model import (
    ServiceAccount,
    hash_of,
    id_of,
    is_account_id,
    malformed,
    new_token,
    privileged,
    shown_part,
)
from agentos_lambda.identity.accounts.ports import AccountStore, NameTaken
from agentos_lambda.identity.errors import Forbidden, Missing
from agentos_lambda.identity.principal import Principal, PrincipalKind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import Conflict, InvalidRequest, NotFound
from agentos_lambda.runs.limits import Limits

log = logging.getLogger(__name__)

DAY_MS = 86_400_000

_ORDERS: dict[str, Callable[[ServiceAccount], tuple[bool, int | str]]] = {
    "created_at": lambda account: (True, account.created_at),
    "name": lambda account: (True, account.name),
    "expires_at": lambda account: (account.expires_at is not None, account.expires_at or 0),
}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is to be."""

    name: str
    scopes: tuple[str, ...]
    days: int | None
    """How long its token counts; None: it never expires."""
    allow_privileged: bool = False
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """A page of the accounts, which is counted from 1."""

    include_revoked: bool
    limit: int
    page: int
    sort_by: str
    ascending: bool


class AccountService:
    """What principals do with accounts that may call the operations."""

    def __init__(
        self,
        store: AccountStore,
        clock: Clock,
        *,
        random_bytes: Callable[[int], bytes],
        revoked: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``revoked`` is told the id of an account that was."""
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes
        self._revoked = revoked

    def create(self, principal: Principal, wanted: NewAccount) -> tuple[ServiceAccount, str]:
        """A new account and its token, which is known to nobody afterwards.

        Raises ``InvalidRequest`` and ``Forbidden`` for scopes, ``Conflict`` for a name, and ``Missing`` on an open API:
        an account would outlive that.
        """
        _check_scopes(principal, wanted)
        self._check_name(principal, wanted.name)
        now, token = self._clock.now(), new_token(self._random_bytes)
        token_hash = hash_of(token)
        account = ServiceAccount(
            id=id_of(token_hash),
            name=wanted.name,
            token_hash=token_hash,
            token_prefix=shown_part(token),
            scopes=wanted.scopes,
            created_at=now,
            expires_at=None if wanted.days is None else now + wanted.days * DAY_MS,
            created_by=principal.subject,
            limits=wanted.limits,
        )
        self._store.create(account)
        return account, token

    def _check_name(self, principal: Principal, name: str) -> None:
        """An account acts as its name: it would see all that a revoked one with this name has left."""
        if not principal.isolated:
            return
        named = [account for account in self._store.all() if account.name == name]
        others = [account for account in named if account.created_by != principal.subject]
        if any(account.revoked_at is None for account in others):
            raise NameTaken(name)
        if others:
            raise Conflict(f"The service account '{name}' was somebody else's. Choose another name.")

    def list(self, principal: Principal, query: AccountQuery) -> tuple[Sequence[ServiceAccount], int]:
        """A page of the accounts that the principal sees, and how many there are in all."""
        seen = [
            account
            for account in self._store.all()
            if _sees(principal, account) and (query.include_revoked or account.revoked_at is None)
        ]
        order = _ORDERS.get(query.sort_by, _ORDERS["created_at"])
        seen.sort(key=order, reverse=not query.ascending)
        first = (query.page - 1) * query.limit
        return seen[first : first + query.limit], len(seen)

    def revoke(self, principal: Principal, account_id: str) -> None:
        """Revoke the account; once is enough. Raises ``NotFound``, ``Forbidden``."""
        account = self._store.find(account_id) if is_account_id(account_id) else None
        if account is None or not _sees(principal, account):
            raise NotFound(f"Service account '{account_id}' not found")
        if principal.isolated and account.created_by is None:
            raise Forbidden("Cannot revoke a workspace-level service account")
        if account.revoked_at is None:
            self._store.revoke(account, now=self._clock.now())
        self._revoked(account.id)


def _sees(principal: Principal, account: ServiceAccount) -> bool:
    """Its own accounts, and those without an owner; all if it is not isolated."""
    return not principal.isolated or account.created_by in (None, principal.subject)


def _check_scopes(principal: Principal, wanted: NewAccount) -> None:
    if wrong := malformed(wanted.scopes):
        raise InvalidRequest(f"Invalid scope(s): {', '.join(wrong)}")
    if not wanted.allow_privileged and (strong := privileged(wanted.scopes)):
        raise InvalidRequest(
            f"Privileged scope(s) require allow_privileged_scopes=true: {', '.join(strong)}. "
            "Privileged tokens must be deliberate, never accidental."
        )
    if principal.kind is PrincipalKind.NOBODY:
        raise Missing("JWT authentication is required to mint a service account.")
    if principal.limits is not None:
        raise Forbidden("Cannot create a service account: this caller has limits itself")
    held = principal.scopes
    if lacking := [scope for scope in wanted.scopes if not held.hold(scope)]:
        raise Forbidden(f"Cannot grant scope(s) you do not hold: {', '.join(lacking)}")
