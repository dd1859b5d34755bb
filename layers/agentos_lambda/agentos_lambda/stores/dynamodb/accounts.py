"""Service accounts: an item each, and one for the name of each that is not revoked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agentos_lambda.identity.accounts.model import ServiceAccount
from agentos_lambda.identity.accounts.ports import NameTaken
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.limits import Limits
from agentos_lambda.stores.dynamodb.attributes import VERSION, Item, number, text
from agentos_lambda.stores.dynamodb.requests import Requests, TransactionRefused
from agentos_lambda.stores.dynamodb.table import Table

LISTED = "listed"
"""The index of all accounts."""

_LISTED = text("yes")
"""The one partition of it: an operator creates no thousand accounts a second."""
_ACCOUNT, _NAME = 0, 1
"""Places in the transaction of a creation."""


class DynamoDBAccounts:
    """Implements ``identity.accounts.ports.AccountStore``."""

    def __init__(self, table: Table, requests: Requests) -> None:
        self._table = table
        self._requests = requests

    def find(self, account_id: str) -> ServiceAccount | None:
        item = self._table.get(_account_key(account_id))
        return _account(item) if item else None

    def create(self, account: ServiceAccount) -> None:
        # Its id follows from a token that nobody else has.
        is_new = "attribute_not_exists(#entry)"
        name: Item = {**VERSION, **_name_key(account.name), "account_id": text(account.id)}
        try:
            self._transact(
                {"Put": self._table.put_action(_item(account), is_new)},
                {"Put": self._table.put_action(name, is_new)},
            )
        except TransactionRefused as refused:
            named = refused.item(_NAME)
            # This very account was created, but the answer was lost.
            if named is not None and named["account_id"]["S"] == account.id:
                return
            if refused.failed(_NAME):
                raise NameTaken(account.name) from None
            raise StoreUnavailable("The store refused the account.") from refused

    def revoke(self, account: ServiceAccount, *, now: int) -> None:
        # Nobody has revoked it: the first time stays, and the name may be another account's by now.
        counts = "attribute_exists(#entry) AND attribute_not_exists(#revoked_at)"
        is_its_own = "#account_id = :account_id"
        revoked = self._table.update_action(
            _account_key(account.id), "SET #revoked_at = :now", counts, {":now": number(now)}
        )
        name = self._table.delete_action(_name_key(account.name), is_its_own, {":account_id": text(account.id)})
        try:
            self._transact({"Update": revoked}, {"Delete": name})
        except TransactionRefused as refused:
            there = refused.item(_ACCOUNT)
            if there is None or "revoked_at" not in there:
                raise StoreUnavailable("The store refused the revocation.") from refused

    def all(self) -> Sequence[ServiceAccount]:
        found = self._table.query("#listed = :listed", {":listed": _LISTED}, index=LISTED)
        return [_account(item) for item in found]

    def _transact(self, *actions: Any) -> None:
        self._requests.send(lambda clients: clients.dynamodb.transact_write_items(TransactItems=actions))


def _account_key(account_id: str) -> Item:
    return {"entry": text(f"account#{account_id}")}


def _name_key(name: str) -> Item:
    return {"entry": text(f"name#{name}")}


def _item(account: ServiceAccount) -> Item:
    optional = {"expires_at": account.expires_at, "revoked_at": account.revoked_at}
    item: Item = {
        **VERSION,
        **_account_key(account.id),
        "listed": _LISTED,
        "account_id": text(account.id),
        "name": text(account.name),
        "token_hash": text(account.token_hash),
        "token_prefix": text(account.token_prefix),
        "scopes": text(json.dumps(account.scopes)),
        "created_at": number(account.created_at),
        **{_TIMES[name]: number(time) for name, time in optional.items() if time is not None},
    }
    if account.limits is not None:
        item["limits"] = text(json.dumps(asdict(account.limits)))
    return item if account.created_by is None else {**item, "created_by": text(account.created_by)}


_TIMES = {"expires_at": "valid_until", "revoked_at": "revoked_at"}
"""Fields whose attributes have another name, since items expire by ``expires_at``, and accounts stay in the list."""


def _account(item: Mapping[str, Any]) -> ServiceAccount:
    times = {name: int(item[attribute]["N"]) for name, attribute in _TIMES.items() if attribute in item}
    return ServiceAccount(
        id=item["account_id"]["S"],
        name=item["name"]["S"],
        token_hash=item["token_hash"]["S"],
        token_prefix=item["token_prefix"]["S"],
        scopes=tuple(json.loads(item["scopes"]["S"])),
        created_at=int(item["created_at"]["N"]),
        created_by=item["created_by"]["S"] if "created_by" in item else None,
        limits=Limits(**json.loads(item["limits"]["S"])) if "limits" in item else None,
        **times,
    )
