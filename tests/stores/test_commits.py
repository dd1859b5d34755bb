"""What every store guarantees about the end of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.errors import CancelWins, ClaimLost, Fenced, NotStorable, SessionTaken
from agentos_lambda.runs.model import EventPack, RunOutput, SessionDelta
from agentos_lambda.runs.timing import DUE_STEP_MS, RESEND_AFTER_MS
from tests.stores.builders import (
    LEASE_MS,
    NOW,
    claim,
    contents,
    delta,
    ending,
    list_runs,
    load,
    output,
    pack,
    pending,
    running,
    take_over,
)

LEFT = [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED]


def nothing_is_visible_of(store, made):
    """Neither output nor state nor events of a refused ending."""
    session = load(store, made.before.session_id)
    fields = session.fields if session else {}
    record = store.get(made.before.run_id)
    return (
        all(run.output != made.output for run in list_runs(store, made.before.session_id))
        and not set(made.session.set) & set(fields)
        and (record is None or not store.read(record, after=-1))
    )


def full_ending(before, status=RunStatus.COMPLETED, **changes):
    """One with something for every place."""
    parts = {"session": delta(mood=before.run_id), "last_events": pack(0, "a", "end"), "sealed_at": 1}
    return ending(before, status, **{**parts, **changes})


@pytest.mark.parametrize("status", LEFT)
def test_a_commit_shows_record_output_session_and_events_together(store, status):
    record = store.accept(running())
    made = full_ending(record, status, error="why" if status is RunStatus.ERROR else None)
    ended = store.commit(made)
    assert ended == replace(
        record,
        status=status,
        ended_at=made.ended_at,
        ending=made.token,
        error=made.error,
        seals={1: 1},
        lease_until=None,
        in_session=True,
        account=record.payer,
    )
    assert store.get("run-1") == ended
    assert store.output(ended) == made.output
    assert load(store).fields == {"state:mood": "run-1"}
    assert [(run.run_id, run.status, run.output) for run in list_runs(store)] == [("run-1", status, made.output)]
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


@pytest.mark.parametrize("status", LEFT)
def test_a_commit_may_be_repeated(store, status):
    record = store.accept(running())
    first = store.commit(full_ending(record, status))
    again = store.commit(full_ending(record, status, output=output("another"), session=delta(other=1)))
    assert again == first == store.get("run-1")
    assert store.output(again) == output("run-1")
    assert load(store).fields == {"state:mood": "run-1"}


def test_an_ending_that_came_through_answers_its_later_attempts(store):
    """The first commit's answer was lost, and its writer has given up on it since."""
    record = store.accept(running())
    first = store.commit(full_ending(record))
    again = store.commit_without_session(ending(record, RunStatus.ERROR, token=first.ending, error="no answer"))
    assert again == first == store.get("run-1")


def test_an_executor_that_was_replaced_cannot_commit(store):
    first = store.accept(running())
    second = take_over(store)
    made = full_ending(first)
    for commit in (store.commit, store.commit_without_session):
        with pytest.raises(Fenced) as fenced:
            commit(made)
        assert fenced.value.record == second
    assert store.get("run-1") == second
    assert nothing_is_visible_of(store, made)


@pytest.mark.parametrize("first", [RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED])
@pytest.mark.parametrize("second", LEFT)
def test_a_final_state_is_never_overwritten(store, first, second):
    record = store.accept(running())
    ended = store.commit(ending(record, first))
    for before in (record, ended):
        made = full_ending(before, second, token="another")
        with pytest.raises(Fenced) as fenced:
            store.commit(made)
        assert fenced.value.record == ended
        assert nothing_is_visible_of(store, full_ending(record, output=output("another")))
    assert store.get("run-1") == ended
    assert store.output(ended) == output("run-1")


def test_an_unknown_run_cannot_be_committed(store):
    made = full_ending(running())
    with pytest.raises(Fenced) as fenced:
        store.commit(made)
    assert fenced.value.record is None
    assert load(store) is None


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.ERROR])
def test_a_cancelled_run_is_never_anything_else(store, status):
    record = store.accept(running())
    flagged = store.flag_cancel(store.get("run-1"), now=NOW + 1)
    made = full_ending(record, status)
    for commit in (store.commit, store.commit_without_session):
        with pytest.raises(CancelWins) as wins:
            commit(made)
        assert wins.value.record == flagged
    assert store.get("run-1") == flagged
    assert nothing_is_visible_of(store, made)
    ended = store.commit(ending(flagged, RunStatus.CANCELLED))
    assert (ended.status, ended.cancel_requested_at) == (RunStatus.CANCELLED, NOW + 1)
    assert store.get("run-1") == ended


@pytest.mark.parametrize("status", LEFT)
def test_a_cancel_that_comes_after_the_end_changes_nothing(store, status):
    ended = store.commit(ending(store.accept(running()), status))
    assert store.flag_cancel(store.get("run-1"), now=NOW + 9) == ended
    assert store.get("run-1") == ended


def test_the_fence_goes_before_the_cancel_flag_and_that_before_the_sessions_owner(store):
    store.commit(ending(store.accept(running("bobs", user_id="bob"))))
    record = store.accept(running())
    store.flag_cancel(store.get("run-1"), now=NOW + 1)
    with pytest.raises(CancelWins):
        store.commit(ending(record))
    take_over(store)
    with pytest.raises(Fenced):
        store.commit(ending(record))


def test_a_waiting_run_is_cancelled_without_ever_running(store):
    record = store.accept(pending())
    made = full_ending(record, RunStatus.CANCELLED)
    ended = store.commit(made)
    assert (ended.status, ended.attempt, ended.seals) == (RunStatus.CANCELLED, 0, {0: 1})
    assert store.commit(made) == ended == store.get("run-1")
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


def test_a_run_that_was_claimed_meanwhile_is_not_cancelled_as_a_waiting_one(store):
    waiting = store.accept(pending())
    claimed = claim(store)
    with pytest.raises(Fenced) as fenced:
        store.commit(full_ending(waiting, RunStatus.CANCELLED))
    assert fenced.value.record == claimed
    assert store.get("run-1") == claimed


def test_of_two_cancels_of_a_waiting_run_one_is_stored(store):
    waiting = store.accept(pending())
    ended = store.commit(ending(waiting, RunStatus.CANCELLED, token="first"))
    with pytest.raises(Fenced) as fenced:
        store.commit(ending(waiting, RunStatus.CANCELLED, token="second"))
    assert fenced.value.record == ended


def test_a_paused_run_is_cancelled_in_its_own_place(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    paused = store.commit(ending(record, RunStatus.PAUSED, last_events=pack(1, "paused"), sealed_at=1))
    made = ending(paused, RunStatus.CANCELLED, output=output("stopped"), last_events=pack(2, "cancelled"), sealed_at=2)
    ended = store.commit(made)
    assert store.commit(made) == ended == store.get("run-1")
    assert [(run.run_id, run.status, run.output) for run in list_runs(store)] == [
        ("run-1", RunStatus.CANCELLED, output("stopped"))
    ]
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "paused"), (2, "cancelled")]


def test_what_a_paused_run_has_for_its_engine_alone_comes_back(store):
    left = replace(output("asked"), unchecked={"run": {"content": "unchecked"}, "members": []})
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED, output=left))
    assert store.output(paused) == left


def test_a_pause_is_not_repeated_over_the_cancel_that_followed_it(store):
    record = store.accept(running())
    pause = ending(record, RunStatus.PAUSED)
    ended = store.commit(ending(store.commit(pause), RunStatus.CANCELLED))
    with pytest.raises(Fenced) as fenced:
        store.commit(replace(pause, output=output("paused again")))
    assert fenced.value.record == ended == store.get("run-1")


def test_an_ending_without_events_keeps_the_seal_of_its_attempt(store):
    record = store.accept(running())
    paused = store.commit(ending(record, RunStatus.PAUSED, last_events=pack(0, "paused"), sealed_at=0))
    assert store.commit(ending(paused, RunStatus.CANCELLED)).seals == {1: 0}
    assert store.get("run-1").seals == {1: 0}


def test_an_end_takes_back_the_error_of_a_pause(store):
    paused = store.commit(ending(store.accept(running()), RunStatus.PAUSED, error="asks"))
    assert store.commit(ending(paused, RunStatus.CANCELLED)).error is None
    assert store.get("run-1").error is None


@pytest.mark.parametrize("user_id", ["mallory", None])
def test_a_session_of_another_user_is_not_touched(store, user_id):
    store.commit(ending(store.accept(running("alices")), session=delta(mood="calm")))
    record = store.accept(running("theirs", user_id=user_id))
    made = full_ending(record)
    with pytest.raises(SessionTaken):
        store.commit(made)
    assert store.get("theirs") == record
    assert nothing_is_visible_of(store, replace(made, session=SessionDelta()))
    assert (load(store).user_id, load(store).fields) == ("alice", {"state:mood": "calm"})


@pytest.mark.parametrize("is_read", [True, False])
def test_a_session_that_was_begun_without_a_user_stays_everybodys(store, is_read):
    store.commit(ending(store.accept(running("nobodys", user_id=None)), session=delta(mood="calm")))
    for place, user_id in enumerate(["bob", "alice", None, "bob"]):
        read = load(store) if is_read else None
        record = store.accept(running(f"run-{place}", user_id=user_id, accepted_at=NOW + 1 + place))
        store.commit(ending(record, session=delta(**{f"of-{place}": user_id}), read=read))
        assert load(store).user_id is None
    assert load(store).fields == {
        "state:mood": "calm",
        **{f"state:of-{place}": user_id for place, user_id in enumerate(["bob", "alice", None, "bob"])},
    }


@pytest.mark.parametrize("is_read", [True, False])
def test_a_session_stays_its_first_users(store, is_read):
    store.commit(ending(store.accept(running("alices"))))
    read = load(store) if is_read else None
    store.commit(ending(store.accept(running("again", accepted_at=NOW + 1)), read=read))
    assert load(store).user_id == "alice"


def test_of_two_first_runs_at_once_the_one_that_ends_first_says_whose_the_session_is(store):
    with_user, without = store.accept(running("bobs", user_id="bob")), store.accept(running("nobodys", user_id=None))
    store.commit(ending(without))
    store.commit(ending(with_user))
    assert load(store).user_id is None


def test_a_run_whose_session_is_taken_still_ends(store):
    store.commit(ending(store.accept(running("bobs", user_id="bob")), session=delta(mood="calm")))
    record = store.accept(running())
    made = full_ending(record, RunStatus.ERROR, error="The session belongs to another user.")
    with pytest.raises(SessionTaken):
        store.commit(made)
    ended = store.commit_without_session(made)
    assert (ended.status, ended.error, ended.in_session) == (RunStatus.ERROR, made.error, False)
    assert store.commit_without_session(made) == ended == store.get("run-1")
    assert store.output(ended) is None
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]
    assert [run.run_id for run in list_runs(store)] == ["bobs"]
    assert load(store).fields == {"state:mood": "calm"}


def test_a_run_that_has_not_ended_has_no_output(store):
    record = store.accept(running())
    assert store.output(record) is None
    assert store.output(replace(record, in_session=True)) is None
    store.commit(ending(record))
    assert store.output(record) is None


def test_what_is_not_json_is_not_storable(store):
    record = store.accept(running())
    for made in (
        ending(record, output=RunOutput({"content": object()})),
        ending(record, session=delta(mood={1, 2})),
        ending(record, last_events=EventPack(0, ({"event": "RunContent", "content": b"bytes"},)), sealed_at=0),
    ):
        with pytest.raises(NotStorable):
            store.commit(made)
    assert store.get("run-1") == record
    assert load(store) is None


def test_what_was_stored_does_not_change_with_what_was_handed_in_or_out(store):
    seals, run, state, event = {0: 1}, {"list": [1]}, {"list": [1]}, {"event": "RunContent", "content": "a"}
    record = store.accept(running(seals=seals))
    ended = store.commit(
        ending(
            record,
            output=RunOutput(run, (run,)),
            session=delta(key=state),
            last_events=EventPack(2, (event,)),
            sealed_at=2,
        )
    )
    handed_out = store.output(ended), load(store), list_runs(store)[0].output
    seals[9] = 9
    event["content"] = "changed"
    for value in (run, state, handed_out[0].run, handed_out[1].runs[0].output.run, handed_out[2].members[0]):
        value["list"].append(2)
    handed_out[1].fields["state:key"]["list"].append(2)
    ended.seals[8] = 8
    assert store.get("run-1").seals == {0: 1, 1: 2}
    assert store.output(ended) == RunOutput({"list": [1]}, ({"list": [1]},))
    assert load(store).fields == {"state:key": {"list": [1]}}
    assert list_runs(store)[0].output.run == {"list": [1]}
    assert contents(store.read(store.get("run-1"), after=1)) == [(2, "a")]


def handing_over(before, **changes):
    parts = {"work": {"carried": "x"}, "last_events": pack(0, "a", "b"), "sealed_at": 1, "session": delta(mood=1)}
    return ending(before, RunStatus.PENDING, **{**parts, **changes})


def test_a_hand_over_stores_work_and_events_and_nothing_of_the_session(store):
    record = store.accept(running(logged=False))
    made = handing_over(record)
    left = store.commit(made)
    assert left == store.get("run-1")
    assert left == replace(
        record,
        status=RunStatus.PENDING,
        ending=made.token,
        seals={1: 1},
        lease_until=None,
        logged=True,
        slices=1,
        queued_at=made.ended_at,
        sends=1,
        next_send_at=made.ended_at + RESEND_AFTER_MS,
    )
    assert store.work(left) == {"carried": "x"}
    assert contents(store.read(left, after=-1)) == [(0, "a"), (1, "b")]
    assert load(store) is None
    assert store.output(left) is None


def test_a_run_that_was_handed_over_is_due_and_can_be_claimed_once(store):
    left = store.commit(handing_over(store.accept(running())))
    assert "run-1" in {run_id for part in store.due(before=left.next_send_at + DUE_STEP_MS + 1) for run_id in part}
    carried_on = claim(store, executor="next", now=NOW + 6_000)
    assert (carried_on.status, carried_on.attempt, carried_on.slices) == (RunStatus.RUNNING, 2, 1)
    with pytest.raises(ClaimLost):
        claim(store, executor="another", now=NOW + 6_000)


def test_a_log_goes_on_through_slices_that_log_nothing(store):
    store.commit(handing_over(store.accept(running())))
    second = claim(store, executor="second", now=NOW + 6_000)
    store.commit(handing_over(second, last_events=None, sealed_at=None))
    third = claim(store, executor="third", now=NOW + 6_000)
    assert third.next_index == 2
    ended = store.commit(ending(third, last_events=pack(2, "c"), sealed_at=2))
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "b"), (2, "c")]


def test_a_hand_over_may_be_repeated(store):
    record = store.accept(running())
    assert store.commit(handing_over(record)) == store.commit(handing_over(record)) == store.get("run-1")


def test_a_hand_over_is_refused_when_the_run_was_taken_over(store):
    record = store.accept(running())
    take_over(store)
    before = store.get("run-1")
    made = handing_over(record)
    with pytest.raises(Fenced):
        store.commit(made)
    assert store.get("run-1") == before
    assert store.work(record) is None
    assert nothing_is_visible_of(store, made)


def test_a_cancel_that_was_flagged_wins_over_a_hand_over(store):
    record = store.accept(running())
    store.flag_cancel(store.get("run-1"), now=NOW)
    with pytest.raises(CancelWins):
        store.commit(handing_over(record))
    assert store.get("run-1").status is RunStatus.RUNNING


def test_of_a_cancel_and_a_claim_between_slices_one_wins(store):
    left = store.commit(handing_over(store.accept(running())))
    cancelled = store.commit(ending(left, RunStatus.CANCELLED))
    assert cancelled.status is RunStatus.CANCELLED
    with pytest.raises(ClaimLost):
        claim(store, now=NOW + 6_000)


def test_a_run_that_pauses_and_is_continued_counts_its_slices_anew(store):
    store.commit(handing_over(store.accept(running())))
    paused = store.commit(ending(claim(store, now=NOW + 6_000), RunStatus.PAUSED))
    assert paused.slices == 1
    for lease in (NOW + LEASE_MS, None):
        continued = store.reopen(paused, executor="e", now=NOW, lease_until=lease, work={"continuation": {}})
        assert continued.slices == 0


def test_work_of_any_size_is_handed_over(store):
    large = {"carried": [f"{number}" for number in range(60_000)]}
    left = store.commit(handing_over(store.accept(running()), work=large))
    assert store.work(left) == large


def test_a_checkpoint_takes_the_place_of_the_work_of_a_running_attempt(store):
    record = store.accept(running(durable=True), work={"input": 1})
    store.checkpoint(record, sequence=1, work={"carried": 2})
    assert store.work(record) == {"carried": 2}
    assert store.get("run-1") == record


def test_a_checkpoint_that_arrives_late_or_twice_takes_the_place_of_no_later_one(store):
    record = store.accept(running(durable=True), work={"input": 1})
    for sequence in (1, 2, 2, 1):
        store.checkpoint(record, sequence=sequence, work={"carried": sequence})
    assert store.work(record) == {"carried": 2}
    store.checkpoint(take_over(store), sequence=1, work={"carried": 3})
    assert store.work(record) == {"carried": 3}


def test_a_checkpoint_of_an_attempt_that_is_over_is_refused(store):
    record = store.accept(running(durable=True), work={"input": 1})
    store.commit(ending(record))
    with pytest.raises(Fenced):
        store.checkpoint(record, sequence=1, work={"carried": 2})
    assert store.work(record) == {"input": 1}


def test_a_checkpoint_of_an_attempt_that_was_taken_over_is_refused(store):
    record = store.accept(running(durable=True), work={"input": 1})
    take_over(store)
    with pytest.raises(Fenced):
        store.checkpoint(record, sequence=1, work={"carried": 2})
    assert store.work(record) == {"input": 1}


def test_the_work_of_a_run_that_is_continued_here_is_kept_if_it_is_given(store):
    paused = store.commit(ending(store.accept(running(durable=True), work={"input": 1}), RunStatus.PAUSED))
    store.reopen(paused, executor="e", now=NOW, lease_until=NOW + LEASE_MS, work={"continuation": {}})
    assert store.work(paused) == {"continuation": {}}
