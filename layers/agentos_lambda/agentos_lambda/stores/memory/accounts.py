"""Service accounts, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from agentos_lambda.identity.accounts.model import ServiceAccount
from agentos_lambda.identity.accounts.ports import NameTaken


class MemoryAccounts:
    """Implements ``identity.accounts.ports.AccountStore``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._accounts: dict[str, ServiceAccount] = {}

    def find(self, account_id: str) -> ServiceAccount | None:
        with self._lock:
            return self._accounts.get(account_id)

    def create(self, account: ServiceAccount) -> None:
        with self._lock:
            named = [each for each in self._accounts.values() if each.name == account.name and each.revoked_at is None]
            if any(each != account for each in named):
                raise NameTaken(account.name)
            self._accounts[account.id] = account

    def revoke(self, account: ServiceAccount, *, now: int) -> None:
        with self._lock:
            there = self._accounts[account.id]
            if there.revoked_at is None:
                self._accounts[account.id] = replace(there, revoked_at=now)

    def all(self) -> Sequence[ServiceAccount]:
        with self._lock:
            return sorted(self._accounts.values(), key=lambda account: account.created_at)
