"""What every store guarantees about the log of a run's events."""

from __future__ import annotations

from dataclasses import replace

from agentos_lambda.protocol.values import RunStatus
from tests.stores.accounts import EVENTS_TTL_SECONDS
from tests.stores.builders import NOW, contents, ending, pack, pending, running, take_over


def test_events_come_back_as_they_were_given(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    [indexed] = store.read(record, after=-1)
    assert (indexed.index, indexed.event) == (0, {"event": "RunContent", "content": "a"})


def test_events_are_had_again_from_any_index(store):
    record = store.accept(running())
    everything = []
    for first_index in range(0, 30, 3):
        texts = [f"text {first_index + place}" for place in range(3)]
        store.append("run-1", 1, pack(first_index, *texts))
        everything += enumerate(texts, start=first_index)
    for after in range(-1, 31):
        assert contents(store.read(record, after=after)) == everything[after + 1 :]


def test_gaps_are_skipped(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    store.append("run-1", 1, pack(10, "b"))
    assert contents(store.read(record, after=-1)) == [(0, "a"), (10, "b")]
    assert contents(store.read(record, after=4)) == [(10, "b")]


def test_a_run_without_a_log_has_no_events(store):
    assert store.read(store.accept(running()), after=-1) == []
    assert store.read(store.accept(pending("run-2")), after=-1) == []


def test_runs_share_no_events(store):
    record = store.accept(running())
    store.append("run-10", 1, pack(0, "another's"))
    assert store.read(record, after=-1) == []


def test_what_a_dead_executor_writes_is_never_seen(store):
    store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    second = take_over(store)
    store.append("run-1", 1, pack(1, "written by the dead"))
    store.append("run-1", 2, pack(1, "b"))
    expected = [(0, "a"), (1, "b")]
    assert contents(store.read(second, after=-1)) == expected
    ended = store.commit(ending(second, last_events=pack(2, "end"), sealed_at=2))
    store.append("run-1", 1, pack(2, "written by the dead", "and more"))
    store.append("run-1", 2, pack(3, "written after the end"))
    assert contents(store.read(ended, after=-1)) == [*expected, (2, "end")]


def test_an_attempt_that_is_over_without_a_seal_shows_nothing(store):
    store.accept(running())
    second = take_over(store)
    store.append("run-1", 1, pack(0, "written by the dead"))
    assert store.read(second, after=-1) == []
    ended = store.commit_without_session(ending(second, RunStatus.ERROR))
    store.append("run-1", 2, pack(0, "written after the end"))
    assert store.read(ended, after=-1) == []


def test_a_reader_with_an_old_record_sees_nothing_of_later_attempts(store):
    first = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    take_over(store)
    store.append("run-1", 2, pack(1, "b"))
    assert contents(store.read(first, after=-1)) == [(0, "a")]


def test_indexes_increase_over_attempts_even_if_a_writer_errs(store):
    store.accept(running())
    store.append("run-1", 1, pack(0, "a", "b"))
    second = take_over(store)
    store.append("run-1", 2, pack(1, "too low", "c"))
    assert contents(store.read(second, after=-1)) == [(0, "a"), (1, "b"), (2, "c")]


def test_a_seal_cuts_a_pack_that_reaches_beyond_it(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a", "b", "c"))
    ended = store.commit(ending(record, sealed_at=1))
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "b")]


def test_a_pack_may_be_appended_again_with_more_in_it(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    store.append("run-1", 1, pack(0, "a"))
    store.append("run-1", 1, pack(0, "a", "b"))
    assert contents(store.read(record, after=-1)) == [(0, "a"), (1, "b")]


def test_a_late_append_takes_nothing_from_the_commits_last_pack(store):
    """The append was under way for so long that its writer gave up and put its events into the commit."""
    record = store.accept(running())
    ended = store.commit(ending(record, last_events=pack(0, "a", "end"), sealed_at=1))
    store.append("run-1", 1, pack(0, "a"))
    assert contents(store.read(ended, after=-1)) == [(0, "a"), (1, "end")]


def test_events_of_a_paused_run_stay(store):
    record = store.accept(running())
    paused = store.commit(ending(record, RunStatus.PAUSED, last_events=pack(0, "paused"), sealed_at=0))
    continued = replace(paused, status=RunStatus.RUNNING, attempt=2)
    store.append("run-1", 2, pack(1, "goes on"))
    assert contents(store.read(paused, after=-1)) == [(0, "paused")]
    assert contents(store.read(continued, after=-1)) == [(0, "paused"), (1, "goes on")]


def test_what_was_withdrawn_is_not_served_any_more(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a", "b"))
    assert contents(store.read(record, after=-1)) == [(0, "a"), (1, "b")]
    ended = store.commit(ending(record, RunStatus.ERROR, last_events=pack(2, "end"), sealed_at=2, withdrawn=True))
    assert ended.log_from == store.get("run-1").log_from == 2
    for after in (-1, 0, 1):
        assert contents(store.read(ended, after=after)) == [(2, "end")]
    assert contents(store.read(ended, after=2)) == []


def test_what_was_withdrawn_before_a_pause_stays_withdrawn(store):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    paused = store.commit(ending(record, RunStatus.PAUSED, last_events=pack(1, "paused"), sealed_at=1, withdrawn=True))
    reopened = store.reopen(paused, executor="e", now=NOW, lease_until=NOW + 30_000)
    ended = store.commit(ending(reopened, last_events=pack(2, "end"), sealed_at=2))
    assert contents(store.read(ended, after=-1)) == [(1, "paused"), (2, "end")]


def test_events_that_have_expired_are_gone(store, clock):
    record = store.accept(running())
    store.append("run-1", 1, pack(0, "a"))
    clock.time += 1000
    store.append("run-1", 1, pack(1, "b"))
    clock.time += EVENTS_TTL_SECONDS * 1000 - 1001
    assert contents(store.read(record, after=-1)) == [(0, "a"), (1, "b")]
    clock.time += 1
    assert contents(store.read(record, after=-1)) == [(1, "b")]
    clock.time += 1000
    assert store.read(record, after=-1) == []
