"""What every store guarantees from a run's acceptance to its end."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import ClaimLost, Fenced, NotFound, RunExists
from agentos_lambda.runs.usage import Usage
from agentos_lambda.sessions.model import BuriedRun
from tests.stores.builders import LEASE_MS, NOW, claim, ending, pack, pending, running, take_over, with_every_field_set


def test_an_accepted_record_is_read_back_whole(store):
    record = running(
        user_id=None, cancel_requested_at=NOW + 1, seals={0: 4}, request_hash="abc", error="none yet", tries=3
    )
    assert store.accept(record) == record
    assert store.get("run-1") == record


def test_no_field_of_a_record_is_forgotten(store):
    record = with_every_field_set()
    assert all(getattr(record, field.name) not in (field.default, None, {}) for field in fields(record))
    assert store.accept(record) == record
    assert store.get(record.run_id) == record


def test_an_unknown_run_has_no_record(store):
    assert store.get("run-1") is None


def test_a_run_id_is_given_once(store):
    store.accept(pending())
    with pytest.raises(RunExists) as refused:
        store.accept(pending(token="somebody-else", component_id="other"))
    assert refused.value.record == pending()
    assert store.get("run-1") == pending()


def test_accepting_again_with_the_same_token_finds_the_own_record(store):
    store.accept(pending())
    claimed = claim(store)
    assert store.accept(pending()) == claimed
    assert store.get("run-1") == claimed


def test_a_claim_starts_a_pending_run(store):
    store.accept(pending())
    claimed = claim(store, executor="worker-1")
    assert claimed == pending(
        status=RunStatus.RUNNING, attempt=1, tries=1, executor="worker-1", lease_until=NOW + LEASE_MS
    )
    assert store.get("run-1") == claimed


def test_an_unknown_run_cannot_be_claimed(store):
    with pytest.raises(ClaimLost) as lost:
        claim(store)
    assert lost.value.record is None
    assert store.get("run-1") is None


def test_a_second_executor_loses_the_claim_and_learns_of_the_first(store):
    store.accept(pending())
    first = claim(store, executor="worker-1")
    with pytest.raises(ClaimLost) as lost:
        claim(store, executor="worker-2")
    assert lost.value.record == first
    assert store.get("run-1") == first


def test_claiming_again_with_the_same_token_finds_the_own_claim(store):
    store.accept(pending())
    first = claim(store)
    assert claim(store) == first
    assert take_over(store, executor="worker-1") == first


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED, RunStatus.PAUSED])
def test_a_run_that_has_ended_or_paused_cannot_be_claimed(store, status):
    record = store.commit(ending(store.accept(running()), status))
    for executor in ("rescuer", record.executor):
        with pytest.raises(ClaimLost) as lost:
            take_over(store, executor=executor)
        assert lost.value.record == record
    assert store.get("run-1") == record


def test_a_lease_is_respected_until_it_has_expired(store):
    record = store.accept(running())
    expired_before = record.lease_until
    with pytest.raises(ClaimLost):
        store.claim("run-1", executor="rescuer", lease_until=NOW, expired_before=expired_before)
    claimed = store.claim("run-1", executor="rescuer", lease_until=NOW + 1, expired_before=expired_before + 1)
    assert claimed == replace(record, attempt=2, tries=2, executor="rescuer", lease_until=NOW + 1)


def test_a_takeover_seals_the_dead_attempt_at_its_last_logged_event(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a", "b"))
    store.append("run-1", 1, pack(2, "c"))
    claimed = take_over(store)
    assert claimed.seals == {1: 2}
    assert store.get("run-1") == claimed
    assert record.seals == {}


def test_each_takeover_seals_its_own_attempt(store):
    store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    take_over(store, executor="second")
    store.append("run-1", 2, pack(1, "b", "c"))
    third = store.claim("run-1", executor="third", lease_until=NOW, expired_before=NOW * 2)
    assert (third.attempt, third.seals) == (3, {1: 0, 2: 2})


def test_a_takeover_of_an_attempt_that_logged_nothing_seals_nothing(store):
    store.accept(running())
    assert take_over(store).seals == {}


def test_a_flagged_cancel_does_not_forbid_a_takeover(store):
    store.accept(running())
    store.flag_cancel(store.get("run-1"), now=NOW + 7)
    assert take_over(store).cancel_requested_at == NOW + 7


def test_a_renewed_lease_keeps_the_run(store):
    record = store.accept(running())
    renewed = store.renew(record, lease_until=NOW + 100 * LEASE_MS)
    assert renewed == replace(record, lease_until=NOW + 100 * LEASE_MS)
    assert store.get("run-1") == renewed
    with pytest.raises(ClaimLost):
        take_over(store)


def test_a_renewal_that_arrives_after_a_later_one_changes_nothing(store):
    record = store.accept(running())
    later = store.renew(replace(record, usage=Usage(2, 2, 2)), lease_until=NOW + 2 * LEASE_MS)
    assert store.renew(replace(record, usage=Usage(1, 1, 1)), lease_until=NOW + 2 * LEASE_MS - 1) == later
    assert store.get("run-1") == later


@pytest.mark.parametrize("lease_until", [NOW, NOW * 2], ids=["late", "in time"])
def test_renewing_shows_the_cancel_flag(store, lease_until):
    record = store.accept(running())
    store.flag_cancel(store.get("run-1"), now=NOW + 7)
    assert store.renew(record, lease_until=lease_until).cancel_requested_at == NOW + 7


def test_an_executor_of_a_run_that_was_removed_changes_no_other_run_with_its_id(store):
    removed = store.accept(running())
    store.commit(ending(removed))
    assert store.remove_run(removed.session_id, BuriedRun(removed.run_id, removed.accepted_at))
    other = store.accept(running(token="another"))
    for write in (
        lambda: store.renew(removed, lease_until=NOW * 2),
        lambda: store.checkpoint(removed, sequence=1, work={}),
        lambda: store.commit(ending(removed, token="late")),
    ):
        with pytest.raises(Fenced):
            write()
    assert store.get("run-1") == other


def test_an_executor_that_was_replaced_cannot_renew(store):
    record = store.accept(running())
    claimed = take_over(store)
    with pytest.raises(Fenced) as fenced:
        store.renew(record, lease_until=NOW * 2)
    assert fenced.value.record == claimed
    assert store.get("run-1") == claimed


def test_a_run_that_has_ended_cannot_be_renewed(store):
    record = store.accept(running())
    ended = store.commit(ending(record))
    with pytest.raises(Fenced) as fenced:
        store.renew(record, lease_until=NOW * 2)
    assert fenced.value.record == ended
    assert store.get("run-1") == ended


def test_an_unknown_run_cannot_be_renewed(store):
    with pytest.raises(Fenced) as fenced:
        store.renew(running(), lease_until=NOW)
    assert fenced.value.record is None


def test_the_first_cancel_is_the_one_that_is_remembered(store):
    record = store.accept(running())
    flagged = store.flag_cancel(store.get("run-1"), now=NOW + 1)
    assert flagged == replace(record, cancel_requested_at=NOW + 1)
    assert store.flag_cancel(store.get("run-1"), now=NOW + 2) == flagged
    assert store.get("run-1") == flagged


def test_a_run_that_waits_is_not_flagged(store):
    store.accept(pending())
    assert store.flag_cancel(store.get("run-1"), now=NOW) == pending()
    assert store.get("run-1") == pending()


def test_an_unknown_run_cannot_be_flagged(store):
    with pytest.raises(NotFound):
        store.flag_cancel(running(), now=NOW)
    assert store.get("run-1") is None


def test_a_cancel_flags_the_run_whoever_has_taken_it_over_since(store):
    record = store.accept(running())
    taken = take_over(store)
    assert store.flag_cancel(record, now=NOW) == replace(taken, cancel_requested_at=NOW)


def test_a_cancel_that_arrives_late_flags_no_run_that_was_continued_and_no_other_with_its_id(store):
    paused = store.commit(ending(first := store.accept(running()), RunStatus.PAUSED))
    going_on = store.reopen(paused, executor="continuer", now=NOW, lease_until=NOW + LEASE_MS)
    removed = replace(going_on, token="removed")
    assert store.flag_cancel(first, now=NOW) == store.flag_cancel(removed, now=NOW) == going_on == store.get("run-1")
    assert store.flag_cancel(going_on, now=NOW).cancel_requested
