"""What every store guarantees of runs that wait: for a worker, or for their caller."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import ClaimLost
from tests.stores.builders import LEASE_MS, NOW, claim, ending, pending, running

WORK = {"input": {"message": "hi", "media": []}}


def waiting(**changes):
    return pending(queued_at=NOW, sends=1, **changes)


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


def test_active_runs_are_those_that_wait_or_run_oldest_first_in_their_shard(store):
    store.accept(waiting(run_id="run-1"), work=WORK)
    store.accept(running(run_id="run-2", session_id="session-2"))
    store.commit(ending(store.accept(running(run_id="run-3", session_id="session-3"))))
    store.commit(ending(store.accept(running(run_id="run-4", session_id="session-4")), RunStatus.PAUSED))
    assert sorted(store.active(accepted_before=NOW + 1)) == ["run-1", "run-2"]
    assert list(store.active(accepted_before=NOW)) == []


def test_a_paused_run_goes_on_as_a_new_attempt_and_is_active_again(store):
    record = paused(store)
    going_on = continue_here(store, record)
    assert (going_on.status, going_on.attempt, going_on.tries) == (RunStatus.RUNNING, 2, 2)
    assert (going_on.executor, going_on.lease_until) == ("continuer", NOW + LEASE_MS)
    assert store.get("run-1") == going_on
    assert list(store.active(accepted_before=NOW + 1)) == ["run-1"]
    assert store.output(going_on) is not None


def test_a_paused_run_that_is_queued_again_waits_with_its_work_and_is_claimed(store):
    record = queue_again(store, paused(store))
    assert (record.status, record.attempt, record.queued_at, record.sends) == (RunStatus.PENDING, 1, NOW + 5, 1)
    assert store.work(record) == WORK
    assert list(store.active(accepted_before=NOW + 1)) == ["run-1"]
    assert claim(store).attempt == 2


@pytest.mark.parametrize("lease_until", [None, NOW + LEASE_MS])
@pytest.mark.parametrize("logged", [False, True])
def test_a_paused_run_that_goes_on_says_whether_it_has_a_log(store, lease_until, logged):
    record = store.commit(ending(store.accept(running(logged=False)), RunStatus.PAUSED))
    going_on = store.reopen(record, executor="e", now=NOW + 5, lease_until=lease_until, logged=logged, work=WORK)
    assert (going_on.logged, store.get("run-1").logged) == (logged, logged)


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
    assert list(store.active(accepted_before=NOW + 1)) == []


def test_each_send_is_counted_once(store):
    record = store.accept(waiting(), work=WORK)
    assert store.note_send(record).sends == 2
    with pytest.raises(ClaimLost):
        store.note_send(record)
    assert store.note_send(store.get("run-1")).sends == 3


def test_a_run_that_was_claimed_is_not_sent_again(store):
    record = store.accept(waiting(), work=WORK)
    claimed = claim(store)
    with pytest.raises(ClaimLost) as lost:
        store.note_send(record)
    assert lost.value.record == claimed
