"""What every store guarantees about sessions and runs that expire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import RunExists, SessionExists
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.sessions.model import SessionFilter
from agentos_lambda.stores.retention import DAY_MS, PAUSED_DAYS, Retention
from tests.stores.builders import NOW, due, ending, list_runs, load, output, pack, pending, running

ALL = SessionFilter()
SESSIONS_DAYS, RUNS_DAYS = 7, 3
ENDED = 5_000
"""After ``NOW`` a run of ``builders.ending`` has ended."""


@pytest.fixture
def store(store_with):
    return store_with(Retention(SESSIONS_DAYS, RUNS_DAYS))


def created(store, session_id="session-1"):
    store.create(Session(session_id, Kind.AGENT, "writer", "alice", NOW, NOW, name="Talk"))


def run(store, run_id="run-1", status=RunStatus.COMPLETED, **changes):
    accepted = store.accept(running(run_id))
    store.append(run_id, 1, pack(0, "a"))
    return store.commit(ending(accepted, status, last_events=pack(1, "end"), sealed_at=1, **changes))


def seen(store):
    """Whether the requests that read sessions see it."""
    views = (
        store.find("session-1"),
        store.bare("session-1"),
        store.whole("session-1"),
        [*store.heads(["session-1"])],
    )
    assert len({bool(view) for view in views}) == 1
    return bool(views[0])


def looked_at(store, clock):
    return [session.session_id for session in store.expiring(before=clock.now(), limit=400)]


def test_a_session_is_hidden_once_nobody_has_written_to_it_for_its_time(store, clock):
    created(store)
    clock.time = NOW + SESSIONS_DAYS * DAY_MS
    assert seen(store)
    clock.time += 1
    assert not seen(store)
    assert store.bare("session-1", expired=True).expired(clock.now())


@pytest.mark.parametrize("written", ["run", "change"])
def test_a_session_that_is_written_to_lives_on(store, clock, written):
    created(store)
    later = NOW + 6 * DAY_MS
    if written == "run":
        store.commit(ending(store.accept(running()), ended_at=later))
    else:
        store.change(store.find("session-1"), SessionDelta(), name="New", now=later)
    clock.time = later + SESSIONS_DAYS * DAY_MS
    assert seen(store)
    assert looked_at(store, clock) == ["session-1"]
    clock.time += 1
    assert not seen(store)


def test_a_run_that_begins_a_session_gives_it_its_time(store, clock):
    run(store)
    clock.time = NOW + ENDED + SESSIONS_DAYS * DAY_MS + 1
    assert not seen(store)
    assert looked_at(store, clock) == ["session-1"]


def test_a_session_is_looked_at_when_it_expires_and_again_when_that_was_asked_for(store, clock):
    created(store)
    clock.time = NOW + SESSIONS_DAYS * DAY_MS
    assert looked_at(store, clock) == []
    clock.time += 1
    [session] = store.expiring(before=clock.now(), limit=400)
    store.look_again(session, at=clock.now())
    assert looked_at(store, clock) == []
    clock.time += 1
    assert looked_at(store, clock) == ["session-1"]


def test_an_expired_session_is_counted_until_it_is_deleted_and_then_no_more(store, clock):
    created(store)
    clock.time = NOW + SESSIONS_DAYS * DAY_MS + 1
    session = store.bare("session-1", expired=True)
    assert store.count(ALL) == 1
    assert store.bury("session-1", session, now=session.expires_at)
    assert [store.count(each) for each in (ALL, SessionFilter(user_id="alice"))] == [0, 0]
    assert store.bare("session-1", expired=True) is None
    assert looked_at(store, clock) == []
    store.look_again(session, at=NOW)
    assert looked_at(store, clock) == []


def test_an_expired_session_that_was_written_to_since_it_was_read_is_not_deleted(store, clock):
    created(store)
    accepted = store.accept(running())
    clock.time = NOW + SESSIONS_DAYS * DAY_MS + 1
    session = store.bare("session-1", expired=True)
    store.commit(ending(accepted, ended_at=clock.now()))
    assert not store.bury("session-1", session, now=session.expires_at)
    assert seen(store)
    assert store.count(ALL) == 1


def test_a_session_takes_the_place_of_one_that_expired_only_once_that_is_deleted(store, clock):
    created(store)
    clock.time = NOW + SESSIONS_DAYS * DAY_MS + 1
    with pytest.raises(SessionExists):
        created(store)
    session = store.bare("session-1", expired=True)
    store.bury("session-1", session, now=session.expires_at)
    run_of_new = store.accept(running("new", accepted_at=clock.now()))
    store.commit(ending(run_of_new, ended_at=clock.now()))
    assert seen(store)
    assert [stored.run_id for stored in store.whole("session-1").runs] == ["new"]
    assert store.count(ALL) == 1


@pytest.mark.parametrize(
    ("status", "days"),
    [
        (RunStatus.COMPLETED, RUNS_DAYS),
        (RunStatus.ERROR, RUNS_DAYS),
        (RunStatus.CANCELLED, RUNS_DAYS),
        (RunStatus.PAUSED, PAUSED_DAYS),
    ],
)
def test_a_run_is_hidden_its_time_after_its_end(store_with, clock, status, days):
    store = store_with(Retention(0, RUNS_DAYS))
    record = run(store, status=status)
    clock.time = NOW + ENDED + days * DAY_MS
    assert store.get("run-1") == record
    assert [stored.run_id for stored in store.whole("session-1").runs] == ["run-1"]
    clock.time += 1
    assert store.get("run-1") is None
    assert store.whole("session-1").runs == ()
    assert load(store).runs == ()
    assert list_runs(store) == []


def test_a_run_that_waits_or_executes_does_not_expire(store, clock):
    store.accept(pending("waits"))
    store.accept(running("runs"))
    paused = run(store, "paused", RunStatus.PAUSED)
    clock.time = NOW + PAUSED_DAYS * DAY_MS
    store.reopen(paused, executor="again", now=clock.now(), lease_until=clock.now() + 1)
    clock.time += 1000 * DAY_MS
    for run_id in ("waits", "runs", "paused"):
        assert store.get(run_id) is not None
    assert store.output(store.get("paused")) == output("paused")


def test_a_continued_run_expires_after_its_own_end(store, clock):
    paused = run(store, status=RunStatus.PAUSED)
    clock.time = NOW + PAUSED_DAYS * DAY_MS
    again = store.reopen(paused, executor="again", now=clock.now(), lease_until=clock.now() + 1)
    store.commit(ending(again, ended_at=clock.now()))
    clock.time += RUNS_DAYS * DAY_MS
    assert store.get("run-1").status is RunStatus.COMPLETED
    clock.time += 1
    assert store.get("run-1") is None


def test_the_id_of_an_expired_run_is_free_once_it_is_removed(store, clock):
    run(store)
    clock.time = NOW + ENDED + RUNS_DAYS * DAY_MS + 2_000
    assert store.remove_expired("run-1")
    again = running(accepted_at=clock.now(), token="another", component_id="editor")
    assert store.accept(again) == again
    assert store.get("run-1") == again
    assert store.read(again, after=-1) == []
    with pytest.raises(RunExists):
        store.accept(running(token="a third"))


def test_nothing_expires_without_a_retention(store_with, clock):
    store = store_with(Retention())
    record = run(store)
    clock.time = NOW + 10_000 * DAY_MS
    assert seen(store)
    assert store.get("run-1") == record
    assert looked_at(store, clock) == []
    assert due(store, before=clock.now()) == []


def test_a_run_is_removed_when_it_has_expired_and_no_earlier(store, clock):
    ended = run(store)
    assert not store.remove_expired("run-1")
    clock.time = NOW + ENDED + RUNS_DAYS * DAY_MS + 1
    assert store.remove_expired("run-1")
    assert not store.remove_expired("run-1")
    assert store.output(replace(ended)) is None
    assert list(store.read(ended, after=-1)) == []
    assert store.find("session-1") is not None
