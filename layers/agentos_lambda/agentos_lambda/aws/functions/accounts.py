"""The service accounts that a function knows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.accounts.known import KnownAccounts
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.stores.clients import Clients

if TYPE_CHECKING:
    from agentos_lambda.identity.accounts.ports import AccountStore


def known_accounts(settings: Settings, clients: Clients) -> KnownAccounts | None:
    """None where there is no table of them. What asks DynamoDB is imported with the first account."""
    if not settings.accounts_table:
        return None
    store = cache(lambda: account_store(settings, clients))
    return KnownAccounts(lambda account_id: store().find(account_id), SystemClock())


def account_store(settings: Settings, clients: Clients) -> AccountStore:
    """The table of accounts. Imports boto3's errors."""
    from agentos_lambda.stores.dynamodb.accounts import DynamoDBAccounts  # noqa: PLC0415 - not where nobody shows one
    from agentos_lambda.stores.dynamodb.requests import Requests  # noqa: PLC0415
    from agentos_lambda.stores.dynamodb.table import Table  # noqa: PLC0415

    requests = Requests(clients)
    return DynamoDBAccounts(Table(settings.accounts_table, requests), requests)
