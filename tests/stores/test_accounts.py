"""What every store of service accounts guarantees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.identity.accounts.model import ServiceAccount
from agentos_lambda.identity.accounts.ports import AccountStore, NameTaken
from agentos_lambda.stores.dynamodb.accounts import DynamoDBAccounts
from agentos_lambda.stores.memory import MemoryAccounts
from tests.stores.accounts import Aws
from tests.stores.builders import NOW

FIRST = ServiceAccount("id-1", "ci-bot", "hash-1", "agno_pat_1", ("agents:run", "agents:a:read"), NOW, NOW + 1, "alice")
OTHERS = ServiceAccount("id-2", "chat", "hash-2", "agno_pat_2", (), NOW + 1)


@pytest.fixture
def accounts(backing: Aws | None) -> AccountStore:
    if backing is None:
        return MemoryAccounts()
    return DynamoDBAccounts(backing.table("Accounts"), backing.requests())


def test_an_account_is_found_as_it_was_created_and_all_are_listed_by_their_age(accounts):
    for account in (OTHERS, FIRST):
        accounts.create(account)
        assert accounts.find(account.id) == account
    assert accounts.find("unknown") is None
    assert list(accounts.all()) == [FIRST, OTHERS]


def test_a_name_belongs_to_one_account_until_that_is_revoked(accounts):
    accounts.create(FIRST)
    second = replace(FIRST, id="id-3", token_hash="hash-3")
    with pytest.raises(NameTaken, match="'ci-bot' already exists"):
        accounts.create(second)
    assert accounts.find("id-3") is None
    accounts.revoke(FIRST, now=NOW + 5)
    accounts.create(second)
    assert accounts.find("id-1") == replace(FIRST, revoked_at=NOW + 5)
    with pytest.raises(NameTaken):
        accounts.create(replace(FIRST, id="id-4"))


def test_what_is_repeated_because_its_answer_was_lost_changes_nothing(accounts):
    accounts.create(FIRST)
    accounts.create(FIRST)
    accounts.revoke(FIRST, now=NOW + 5)
    accounts.create(replace(FIRST, id="id-3"))
    accounts.revoke(FIRST, now=NOW + 9)
    assert accounts.find("id-1").revoked_at == NOW + 5
    with pytest.raises(NameTaken):
        accounts.create(replace(FIRST, id="id-4"))
