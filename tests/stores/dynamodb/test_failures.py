"""What becomes of AWS's failures."""

from __future__ import annotations

import logging
from socket import socket

import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import CancelWins, Fenced, NotStorable, SessionTaken, StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.dynamodb import DynamoDBStore
from agentos_lambda.stores.retries import TRIES, Retries
from tests.cloud import REGION, tables_of
from tests.stores.builders import NOW, claim, delta, ending, load, output, pending, running
from tests.stores.dynamodb.faults import FaultyClient, cancelled, refused


@pytest.fixture
def client(moto_aws):
    return FaultyClient(moto_aws.dynamodb)


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def store(moto_aws, client, pauses):
    clients, retries = Clients(dynamodb=client, s3=moto_aws.s3), Retries(sleep=pauses.append, jitter=lambda: 0.5)
    return DynamoDBStore(moto_aws.tables, clients=clients, retries=retries)


def is_discreet(error):
    return not any(word in str(error).lower() for word in ("arn", "runs", "exception", "table", "operation"))


def no_credentials(_call):
    raise NoCredentialsError


@pytest.mark.parametrize(
    ("fault", "mends"),
    [
        (refused("InternalServerError", status=500), True),
        (refused("ServiceUnavailable", status=503), True),
        (refused("AccessDeniedException"), False),
        (refused("ResourceNotFoundException"), False),
        (refused("ExpiredTokenException"), False),
        (no_credentials, False),
    ],
)
def test_what_waiting_may_mend_is_tried_again_and_what_it_cannot_is_logged(store, client, caplog, fault, mends):
    store.accept(pending())
    for operation, call in {
        "get_item": lambda: store.get("run-1"),
        "put_item": lambda: store.accept(pending("run-2")),
        "update_item": lambda: claim(store),
        "query": lambda: load(store),
        "transact_write_items": lambda: store.commit(ending(pending(), RunStatus.CANCELLED)),
    }.items():
        caplog.clear()
        client.plan(fault, operation, times=TRIES if mends else 1)
        with pytest.raises(StoreUnavailable) as unavailable:
            call()
        assert is_discreet(unavailable.value)
        assert [entry.levelno for entry in caplog.records] == [logging.ERROR] * (not mends)
    assert store.get("run-1") == pending()


def test_a_store_that_is_not_there_is_unavailable(boto_session):
    with socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        nowhere = boto_session.client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            region_name=REGION,
            aws_access_key_id="1",
            aws_secret_access_key="1",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(StoreUnavailable) as unavailable:
            DynamoDBStore(tables_of("1"), clients=Clients(dynamodb=nowhere), retries=Retries(tries=2)).get("run-1")
    assert is_discreet(unavailable.value)


CONTENTION = [
    refused("TransactionInProgressException"),
    refused("ThrottlingException"),
    refused("ProvisionedThroughputExceededException"),
    cancelled("TransactionConflict", "None", "None"),
    cancelled("None", "TransactionConflict", "None"),
    cancelled("None", "ThrottlingError", "None"),
    cancelled("None", "ConditionalCheckFailed", "TransactionConflict"),
]


@pytest.mark.parametrize("fault", CONTENTION)
def test_a_commit_gets_through_contention(store, client, pauses, fault):
    record = store.accept(running())
    client.plan(fault, "transact_write_items", times=TRIES - 1)
    assert store.commit(ending(record)) == store.get("run-1")
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8]


@pytest.mark.parametrize("fault", CONTENTION)
def test_a_commit_gives_up_on_contention_in_the_end(store, client, pauses, fault):
    record = store.accept(running())
    client.plan(fault, "transact_write_items", times=TRIES)
    with pytest.raises(StoreUnavailable):
        store.commit(ending(record))
    assert len(pauses) == TRIES - 1
    assert store.get("run-1") == record


def test_a_conflict_with_a_transaction_delays_other_writes_only(store, client, pauses):
    conflict = refused("TransactionConflictException")
    client.plan(conflict, "put_item", "update_item", times=2)
    store.accept(pending())
    assert claim(store).status is RunStatus.RUNNING
    assert len(pauses) == 4


def test_a_cancel_between_two_tries_of_a_commit_wins(store, client):
    record = store.accept(running())

    def cancel_and_conflict(_call):
        store.flag_cancel(record, now=NOW)
        return cancelled("TransactionConflict")(_call)

    client.plan(cancel_and_conflict, "transact_write_items")
    with pytest.raises(CancelWins):
        store.commit(ending(record))


def test_a_session_taken_while_a_commit_is_under_way_is_seen(store, client):
    record = store.accept(running())
    assert load(store) is None

    def taken_meanwhile(call):
        store.commit(ending(store.accept(running("bobs", user_id="bob"))))
        return call()

    client.plan(taken_meanwhile, "transact_write_items")
    with pytest.raises(SessionTaken):
        store.commit(ending(record))
    assert store.get("run-1") == record


@pytest.mark.parametrize(
    "fault", [refused("ValidationException"), refused("SerializationException"), cancelled("None", "ValidationError")]
)
def test_a_value_that_aws_refuses_is_not_storable(store, client, fault):
    record = store.accept(running())
    client.plan(fault, "transact_write_items")
    with pytest.raises(NotStorable) as refusal:
        store.commit(ending(record))
    assert is_discreet(refusal.value)


def test_an_attempt_that_is_over_is_fenced_even_if_its_values_are_refused_too(store, client):
    record = store.accept(running())
    client.plan(cancelled("ConditionalCheckFailed", "ValidationError", "None"), "transact_write_items")
    with pytest.raises(Fenced):
        store.commit(ending(record))


def test_a_transaction_cancelled_for_no_known_reason_is_not_taken_for_a_success(store, client):
    record = store.accept(running())
    for codes in [(), ("None", "None", "SomethingNew"), ("None",)]:
        client.plan(cancelled(*codes), "transact_write_items")
        with pytest.raises(StoreUnavailable):
            store.commit(ending(record))


def test_an_error_text_that_is_too_large_is_not_storable(ministack_aws):
    store = ministack_aws.store()
    record = store.accept(running())
    with pytest.raises(NotStorable):
        store.commit(ending(record, RunStatus.ERROR, error="x" * 500_000))
    assert store.get("run-1") == record


def test_a_session_key_that_is_no_unicode_is_not_storable(store):
    record = store.accept(running())
    with pytest.raises(NotStorable):
        store.commit(ending(record, session=delta(**{"\ud800": 1})))
    assert store.get("run-1") == record
    lone_surrogate = ending(record, output=output("\ud800"), session=delta(key="\ud800"))
    assert store.output(store.commit(lone_surrogate)) == lone_surrogate.output
    assert load(store).fields == {"state:key": "\ud800"}
