"""What service accounts need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentos_lambda.identity.accounts.model import ServiceAccount
from agentos_lambda.runs.errors import Conflict


class NameTaken(Conflict):
    """An account that is not revoked has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"An active service account named '{name}' already exists. Revoke it first to rotate.")


class AccountStore(Protocol):
    """All accounts. Synchronous; may be called from any thread. Every method may raise ``StoreUnavailable``."""

    def find(self, account_id: str) -> ServiceAccount | None:
        """The account, read consistently: one request."""

    def create(self, account: ServiceAccount) -> None:
        """Store a new account. Raises ``NameTaken``; not for this very account, if it is stored again."""

    def revoke(self, account: ServiceAccount, *, now: int) -> None:
        """Revoke the account, unless it is already. Its name is free from then on."""

    def all(self) -> Sequence[ServiceAccount]:
        """All accounts, the oldest first. May miss one that was created just now."""
