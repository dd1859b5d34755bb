"""A write that was applied, but whose answer was lost, is found to be the writer's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import ClaimLost, Fenced, RunExists, StoreUnavailable
from agentos_lambda.sessions.model import BuriedRun
from agentos_lambda.stores.retries import TRIES
from tests.stores.builders import (
    LEASE_MS,
    NOW,
    claim,
    contents,
    delta,
    due,
    ending,
    list_runs,
    load,
    output,
    pack,
    pending,
    running,
    take_over,
)
from tests.stores.dynamodb.faults import WRITES, FaultyClient, answer_lost, applied_twice, refused


@pytest.fixture
def client(aws):
    return FaultyClient(aws.dynamodb)


@pytest.fixture
def store(aws, client):
    return aws.store(dynamodb=client)


@pytest.fixture(params=["below the store", "by the store", "by its caller"])
def twice(request, client):
    """Calls a write so that it is sent again, by whom it says: the last has heard nothing from any try of the store."""

    def call(write, *, skip=0):
        match request.param:
            case "below the store":
                client.plan(applied_twice, *WRITES, skip=skip)
            case "by the store":
                client.plan(answer_lost, *WRITES, skip=skip)
            case "by its caller":
                client.plan(answer_lost, *WRITES, skip=skip, times=TRIES)
                with pytest.raises(StoreUnavailable):
                    write()
        return write()

    return call


def full_ending(before, status=RunStatus.COMPLETED):
    return ending(before, status, session=delta(mood="calm"), last_events=pack(0, "a", "end"), sealed_at=1)


def test_accept(store, twice):
    assert twice(lambda: store.accept(pending())) == pending() == store.get("run-1")


def test_claim_of_a_waiting_run(store, twice):
    store.accept(pending())
    claimed = twice(lambda: claim(store))
    assert (claimed.attempt, claimed.tries, claimed.executor) == (1, 1, "worker-1")
    assert store.get("run-1") == claimed


def test_claim_of_an_expired_attempt(store, twice):
    store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    # The first request finds out that the run does not wait, the second one claims it.
    claimed = twice(lambda: take_over(store), skip=1)
    assert (claimed.attempt, claimed.tries, claimed.executor, claimed.seals) == (2, 2, "rescuer", {1: 0})
    assert store.get("run-1") == claimed


def test_renew(store, twice):
    record = store.accept(running())
    renewed = twice(lambda: store.renew(record, lease_until=NOW * 2))
    assert renewed == replace(record, lease_until=NOW * 2) == store.get("run-1")


def test_flag_cancel(store, twice):
    record = store.accept(running())
    times = iter((NOW + 1, NOW + 2))
    flagged = twice(lambda: store.flag_cancel(record, now=next(times)))
    assert flagged.cancel_requested_at == NOW + 1
    assert store.get("run-1") == flagged


@pytest.mark.parametrize("lease_until", [None, NOW + LEASE_MS])
def test_reopen(store, twice, lease_until):
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED))
    going_on = twice(
        lambda: store.reopen(paused, executor="continuer", now=NOW, lease_until=lease_until, work={"input": "go on"})
    )
    assert (going_on.attempt, going_on.executor) == (paused.attempt + (lease_until is not None), "continuer")
    assert store.get("run-1") == going_on


def test_append(store, twice):
    record = store.accept(running())
    twice(lambda: store.append("run-1", 1, pack(0, "a")))
    assert contents(store.read(record, after=-1)) == [(0, "a")]


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED])
def test_commit(store, twice, status):
    record = store.accept(running())
    ended = twice(lambda: store.commit(full_ending(record, status)))
    assert (ended.status, ended.in_session) == (status, True)
    assert ended == store.get("run-1")
    assert load(store).fields == {"state:mood": "calm"}
    assert [run.output for run in list_runs(store)] == [output("run-1")]
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


def test_commit_without_session(store, twice):
    record = store.accept(running())
    ended = twice(lambda: store.commit_without_session(full_ending(record, RunStatus.ERROR)))
    assert ended == store.get("run-1")
    assert (ended.status, ended.in_session) == (RunStatus.ERROR, False)


def test_commit_of_a_waiting_run_as_cancelled(store, twice):
    record = store.accept(pending())
    ended = twice(lambda: store.commit(full_ending(record, RunStatus.CANCELLED)))
    assert ended == store.get("run-1")
    assert (ended.status, ended.attempt) == (RunStatus.CANCELLED, 0)


def test_commit_of_a_paused_run_as_cancelled(store, twice):
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED))
    ended = twice(lambda: store.commit(full_ending(paused, RunStatus.CANCELLED)))
    assert ended == store.get("run-1")
    assert ended.status is RunStatus.CANCELLED


def test_an_accepted_run_that_has_gone_on_is_still_the_callers_own(store, client):
    client.plan(answer_lost, "put_item", times=TRIES)
    with pytest.raises(StoreUnavailable):
        store.accept(pending())
    claimed = claim(store)
    assert store.accept(pending()) == claimed


def test_a_claim_that_was_lost_and_then_taken_over_is_lost(store, client):
    store.accept(pending())
    client.plan(answer_lost, "update_item", times=TRIES)
    with pytest.raises(StoreUnavailable):
        claim(store)
    second = take_over(store)
    with pytest.raises(ClaimLost) as lost:
        claim(store)
    assert lost.value.record == second


def test_a_pause_that_was_lost_and_then_cancelled_is_fenced(store, client):
    record = store.accept(running())
    client.plan(answer_lost, "transact_write_items", times=TRIES)
    with pytest.raises(StoreUnavailable):
        store.commit(ending(record, RunStatus.PAUSED))
    ended = store.commit(ending(store.get("run-1"), RunStatus.CANCELLED))
    with pytest.raises(Fenced) as fenced:
        store.commit(replace(ending(record, RunStatus.PAUSED), output=output("again")))
    assert fenced.value.record == ended == store.get("run-1")


def test_a_success_that_was_lost_is_no_error_after_all(store, client):
    """The executor gives up on its commit and tries to end the run as an error, in a new ending."""
    record = store.accept(running())
    client.plan(answer_lost, "transact_write_items", times=TRIES)
    with pytest.raises(StoreUnavailable):
        store.commit(full_ending(record))
    with pytest.raises(Fenced) as fenced:
        store.commit(ending(record, RunStatus.ERROR))
    assert fenced.value.record.ending == full_ending(record).token
    assert store.get("run-1").status is RunStatus.COMPLETED


def test_a_send_is_counted_once_and_by_whom_it_was_counted(store, client):
    record = store.accept(pending(queued_at=NOW, sends=1))
    client.plan(answer_lost, "update_item")
    assert store.note_send(record, next_send_at=NOW + 60_000).sends == 2
    with pytest.raises(ClaimLost):
        store.note_send(record, next_send_at=NOW + 60_000)
    assert store.get("run-1").sends == 2


def test_an_acknowledgement_whose_answer_is_lost_is_noted(store, client):
    record = store.accept(pending(queued_at=NOW, sends=1))
    client.plan(answer_lost, "update_item")
    store.note_acknowledged(record, next_send_at=NOW + 900_000)
    assert store.get("run-1").last_send_acknowledged


@pytest.mark.parametrize("fault", [answer_lost, applied_twice])
def test_removal_of_a_run(store, client, fault):
    store.commit(full_ending(store.accept(running())))
    client.plan(fault, *WRITES, "batch_write_item")
    assert store.remove_run("session-1", BuriedRun("run-1", NOW))
    assert store.accept(running(token="another")).token == "another"


@pytest.mark.parametrize("call", ["batch_write_item", "transact_write_items"])
def test_a_removal_that_comes_to_no_end_hides_the_run_and_keeps_its_id_until_all_of_it_is_gone(store, client, call):
    ended = store.commit(full_ending(store.accept(running())))
    client.plan(refused("InternalServerError", status=500), call, times=TRIES)
    with pytest.raises(StoreUnavailable):
        store.remove_run("session-1", BuriedRun("run-1", NOW))
    assert store.get("run-1") is None
    with pytest.raises(RunExists):
        store.accept(running(token="another"))
    assert due(store, NOW * 2) == ["run-1"]
    assert store.remove_expired("run-1")
    another = store.accept(running(token="another"))
    assert store.read(ended, after=-1) == store.read(another, after=-1) == []
    assert list_runs(store) == []


def test_a_paused_run_that_is_being_removed_is_not_continued(store, client):
    paused = store.commit(full_ending(store.accept(running()), RunStatus.PAUSED))

    def continue_first(call):
        with pytest.raises(ClaimLost):
            store.reopen(paused, executor="continuer", now=NOW, lease_until=NOW + LEASE_MS)
        return call()

    client.plan(continue_first, "batch_write_item")
    assert store.remove_run("session-1", BuriedRun("run-1", NOW))
    assert store.get("run-1") is None
