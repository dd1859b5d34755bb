"""What every store guarantees of runs that wait: for a worker, or for their caller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import ClaimLost
from agentos_lambda.stores.retention import Retention
from tests.stores.builders import LEASE_MS, NOW, claim, due, ending, pending, running

WORK = {"input": {"message": "hi", "media": []}}


NEXT_SEND_AT = NOW + 60_000
A_MINUTE_LATER = NEXT_SEND_AT + 60_000
LAST_MINUTE = NOW // 60_000 * 60_000
"""NOW is 20 seconds after a full minute."""


def waiting(**changes):
    return pending(queued_at=NOW, sends=1, next_send_at=NEXT_SEND_AT, **changes)


def paused(store):
    return store.commit(ending(store.accept(running()), RunStatus.PAUSED))


def continue_here(store, record, executor="continuer"):
    return store.reopen(record, executor=executor, now=NOW + 5, lease_until=NOW + LEASE_MS)


def queue_again(store, record, executor="continuer", work=WORK):
    return store.reopen(record, executor=executor, now=NOW + 5, lease_until=None, work=work)


def test_the_work_of_a_waiting_run_is_read_back_before_and_after_its_claim(store):
    record = store.accept(waiting(), work=WORK)
    assert store.work(record) == WORK
    assert store.work(claim(store)) == WORK


def test_a_run_that_was_not_queued_has_no_work(store):
    assert store.work(store.accept(running())) is None


def test_large_work_is_read_back(store):
    work = {"input": {"message": "".join(chr(33 + place * 7919 % 94) for place in range(300_000)), "media": []}}
    assert store.work(store.accept(waiting(), work=work)) == work


def test_the_work_of_a_refused_run_does_not_replace_that_of_the_first(store):
    record = store.accept(waiting(), work=WORK)
    with pytest.raises(Exception, match="in use"):
        store.accept(waiting(token="another"), work={"input": "other"})
    assert store.work(record) == WORK


def test_a_run_is_due_when_its_lease_ends_or_its_next_send_comes_rounded_up_to_the_minute(store):
    store.accept(waiting(run_id="waits"), work=WORK)
    store.accept(running(run_id="runs", session_id="session-2"))
    store.commit(ending(store.accept(running(run_id="ended", session_id="session-3"))))
    store.commit(ending(store.accept(running(run_id="paused", session_id="session-4")), RunStatus.PAUSED))
    assert due(store, LAST_MINUTE + 60_000) == []
    assert due(store, LAST_MINUTE + 60_001) == ["runs"]
    assert due(store, LAST_MINUTE + 120_000) == ["runs"]
    assert due(store, LAST_MINUTE + 120_001) == due(store) == ["runs", "waits"]


@pytest.mark.parametrize("days", [0, 3])
def test_a_run_that_has_ended_untold_is_due_until_somebody_tells_its_followers(store_with, days):
    store = store_with(Retention(runs_days=days))
    ended = store.commit(ending(store.accept(running()), ended_at=NOW, untold=True))
    assert ended.untold
    assert due(store, LAST_MINUTE + 60_000) == []
    assert due(store, LAST_MINUTE + 60_001) == ["run-1"]
    store.note_told(replace(ended, token="removed"))
    assert due(store) == ["run-1"]
    for _ in range(2):
        store.note_told(ended)
        assert due(store) == []
        assert store.get("run-1") == replace(ended, untold=False)
    assert bool(due(store, NOW * 2)) == bool(days)


def test_a_lease_that_is_renewed_makes_its_run_due_later(store):
    record = store.accept(running())
    store.renew(record, lease_until=LAST_MINUTE + 60_000)
    assert due(store, LAST_MINUTE + 60_001) == ["run-1"]
    store.renew(record, lease_until=LAST_MINUTE + 60_001)
    assert due(store, LAST_MINUTE + 120_000) == []
    assert due(store, LAST_MINUTE + 120_001) == ["run-1"]


def test_a_run_that_was_claimed_is_due_by_its_lease(store):
    store.accept(waiting(), work=WORK)
    claimed = store.claim("run-1", executor="e", lease_until=LAST_MINUTE + 60_000, expired_before=0)
    assert claimed.next_send_at is None
    assert due(store, LAST_MINUTE + 60_001) == ["run-1"]
    store.claim("run-1", executor="f", lease_until=LAST_MINUTE + 120_000, expired_before=LAST_MINUTE + 60_001)
    assert due(store, LAST_MINUTE + 120_000) == []
    assert due(store) == ["run-1"]


def test_what_is_due_comes_in_parts_that_are_read_when_they_are_needed(store):
    for place in range(40):
        store.accept(waiting(run_id=f"run-{place}"), work=WORK)
    parts = store.due(before=A_MINUTE_LATER)
    store.accept(waiting(run_id="late"), work=WORK)
    found = [run_id for part in reversed(parts) for run_id in part]
    assert len(found) == len(set(found))
    assert {f"run-{place}" for place in range(40)} <= set(found)


def test_a_paused_run_goes_on_as_a_new_attempt_and_is_active_again(store):
    record = paused(store)
    going_on = continue_here(store, record)
    assert (going_on.status, going_on.attempt, going_on.tries) == (RunStatus.RUNNING, 2, 2)
    assert (going_on.executor, going_on.lease_until) == ("continuer", NOW + LEASE_MS)
    assert store.get("run-1") == going_on
    assert due(store) == ["run-1"]
    assert store.output(going_on) is not None


def test_a_paused_run_that_is_queued_again_waits_with_its_work_and_is_claimed(store):
    record = queue_again(store, paused(store))
    assert (record.status, record.attempt, record.queued_at, record.sends) == (RunStatus.PENDING, 1, NOW + 5, 1)
    assert (record.acknowledged_send, record.next_send_at) == (0, NEXT_SEND_AT + 5)
    assert store.get("run-1") == record
    assert store.work(record) == WORK
    assert due(store, A_MINUTE_LATER) == ["run-1"]
    assert claim(store).attempt == 2


@pytest.mark.parametrize("lease_until", [None, NOW + LEASE_MS])
@pytest.mark.parametrize("logged", [False, True])
def test_a_paused_run_that_goes_on_says_whether_it_has_a_log(store, lease_until, logged):
    record = store.commit(ending(store.accept(running(logged=False)), RunStatus.PAUSED))
    going_on = store.reopen(record, executor="e", now=NOW + 5, lease_until=lease_until, logged=logged, work=WORK)
    assert (going_on.logged, store.get("run-1").logged) == (logged, logged)


@pytest.mark.parametrize("go_on", [continue_here, queue_again])
def test_a_paused_run_that_goes_on_has_the_place_that_it_was_given(store, go_on):
    record = store.commit(ending(store.accept(running(place=1)), RunStatus.PAUSED))
    assert go_on(store, replace(record, place=0)).place == store.get("run-1").place == 0


@pytest.mark.parametrize("again", [continue_here, queue_again])
@pytest.mark.parametrize("first", [continue_here, queue_again])
def test_of_two_who_continue_one_gets_the_run(store, first, again):
    record = paused(store)
    won = first(store, record, executor="first")
    with pytest.raises(ClaimLost) as lost:
        again(store, record, executor="second")
    assert lost.value.record == won
    assert store.get("run-1") == won


@pytest.mark.parametrize("reopen", [continue_here, queue_again])
def test_who_continues_twice_with_one_token_has_continued_once(store, reopen):
    record = paused(store)
    assert reopen(store, record) == reopen(store, record)
    assert store.get("run-1").attempt == record.attempt + (reopen is continue_here)


def test_a_run_that_is_not_paused_cannot_be_reopened(store):
    record = store.accept(running())
    with pytest.raises(ClaimLost):
        continue_here(store, record)
    cancelled = store.commit(ending(record, RunStatus.CANCELLED))
    with pytest.raises(ClaimLost):
        queue_again(store, cancelled)
    assert store.get("run-1") == cancelled


def test_a_continued_run_that_ends_replaces_what_it_left_when_it_paused(store):
    going_on = continue_here(store, paused(store))
    ended = store.commit(ending(going_on, token="end-2"))
    assert (ended.status, ended.attempt) == (RunStatus.COMPLETED, 2)
    assert due(store) == []


def send_again(store, record, next_send_at=A_MINUTE_LATER):
    return store.note_send(record, next_send_at=next_send_at)


def test_each_send_is_counted_once_and_makes_the_run_due_later(store):
    record = store.accept(waiting(), work=WORK)
    again = send_again(store, record)
    assert (again.sends, again.next_send_at) == (2, A_MINUTE_LATER)
    assert due(store, A_MINUTE_LATER) == []
    assert due(store) == ["run-1"]
    with pytest.raises(ClaimLost):
        send_again(store, record)
    assert send_again(store, store.get("run-1")).sends == 3


def test_an_acknowledgement_is_of_the_last_send(store):
    record = store.accept(waiting(), work=WORK)
    assert not record.last_send_acknowledged
    store.note_acknowledged(record)
    store.note_acknowledged(record)
    acknowledged = store.get("run-1")
    assert (acknowledged.last_send_acknowledged, acknowledged.next_send_at) == (True, NEXT_SEND_AT)
    again = send_again(store, acknowledged)
    assert not again.last_send_acknowledged
    store.note_acknowledged(record)
    assert store.get("run-1") == again


def test_an_acknowledgement_may_say_when_the_run_is_due_next(store):
    record = store.accept(waiting(), work=WORK)
    store.note_acknowledged(record, next_send_at=NOW + 3_600_000)
    assert store.get("run-1").next_send_at == NOW + 3_600_000
    assert due(store, NOW + 3_600_000) == []
    assert due(store) == ["run-1"]


def test_an_acknowledgement_that_comes_after_the_claim_changes_nothing(store):
    record = store.accept(waiting(), work=WORK)
    claimed = claim(store)
    store.note_acknowledged(record, next_send_at=NOW + 3_600_000)
    assert store.get("run-1") == claimed
    store.note_acknowledged(pending("unknown"))
    assert store.get("unknown") is None


def test_a_run_that_is_queued_again_has_not_been_acknowledged(store):
    record = store.accept(waiting(), work=WORK)
    store.note_acknowledged(record)
    again = queue_again(store, store.commit(ending(claim(store), RunStatus.PAUSED)))
    assert (again.sends, again.last_send_acknowledged) == (1, False)
    store.note_acknowledged(record)  # of the first time that it waited
    assert store.get("run-1") == again


def test_a_run_that_was_claimed_is_not_sent_again(store):
    record = store.accept(waiting(), work=WORK)
    claimed = claim(store)
    with pytest.raises(ClaimLost) as lost:
        send_again(store, record)
    assert lost.value.record == claimed
