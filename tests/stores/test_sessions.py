"""What every store guarantees about sessions."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.model import SessionDelta, StoredRun
from tests.stores.builders import NOW, delta, ending, list_runs, load, output, running

NO_CHANGE = SessionDelta()


def run(store, run_id, status=RunStatus.COMPLETED, *, at=0, session=NO_CHANGE, **record):
    """Accept and commit a run at a time of its own."""
    accepted = store.accept(running(run_id, accepted_at=NOW + at, **record))
    return store.commit(ending(accepted, status, session=session, ended_at=NOW + at + 10))


def ids(runs):
    return [stored.run_id for stored in runs]


def test_there_is_no_session_before_a_run_has_ended(store):
    store.accept(running())
    assert load(store) is None
    assert list_runs(store) == []


def test_the_first_run_makes_the_session(store):
    run(store, "run-1", at=5)
    session = load(store)
    assert (session.session_id, session.kind, session.component_id) == ("session-1", Kind.AGENT, "writer")
    assert (session.user_id, session.created_at, session.updated_at) == ("alice", NOW + 5, NOW + 15)
    assert session.runs == (StoredRun("run-1", Kind.AGENT, "writer", RunStatus.COMPLETED, NOW + 5, output("run-1")),)


def test_later_runs_leave_the_sessions_origin_as_it_is(store):
    run(store, "run-1", at=5)
    run(store, "run-2", at=50, kind=Kind.TEAM, component_id="crew")
    session = load(store)
    assert (session.kind, session.component_id) == (Kind.AGENT, "writer")
    assert (session.created_at, session.updated_at) == (NOW + 5, NOW + 60)


def test_history_is_the_last_runs_oldest_first(store):
    for at in (3, 1, 5, 2, 4):
        run(store, f"run-{at}", at=at)
    assert ids(load(store, history=3).runs) == ["run-3", "run-4", "run-5"]
    assert ids(load(store, history=9).runs) == ["run-1", "run-2", "run-3", "run-4", "run-5"]
    assert ids(load(store, history=0).runs) == []


def test_history_is_of_completed_runs_of_the_same_component(store):
    run(store, "own", at=1)
    run(store, "paused", RunStatus.PAUSED, at=2)
    run(store, "failed", RunStatus.ERROR, at=3)
    run(store, "cancelled", RunStatus.CANCELLED, at=4)
    run(store, "another's", at=5, component_id="editor")
    run(store, "a team's", at=6, kind=Kind.TEAM)
    run(store, "another session's", at=7, session_id="session-2")
    assert ids(load(store, history=2).runs) == ["own"]


def test_history_is_found_behind_many_runs_that_do_not_count(store):
    run(store, "first", at=1)
    for at in range(2, 30):
        run(store, f"failed-{at}", RunStatus.ERROR, at=at)
    run(store, "last", at=30)
    assert ids(load(store, history=2).runs) == ["first", "last"]


def test_runs_are_listed_whatever_their_end_oldest_first(store):
    for at, status in enumerate([RunStatus.COMPLETED, RunStatus.PAUSED, RunStatus.ERROR, RunStatus.CANCELLED]):
        run(store, f"run-{at}", status, at=at)
    run(store, "another's", at=9, component_id="editor")
    assert ids(list_runs(store)) == ["run-0", "run-1", "run-2", "run-3"]
    assert ids(list_runs(store, component_id="editor")) == ["another's"]


def test_runs_of_the_same_millisecond_are_all_kept(store):
    for run_id in ("b", "a", "c"):
        run(store, run_id)
    assert ids(list_runs(store)) == ["a", "b", "c"]


def test_fields_are_set_and_removed_one_by_one(store):
    run(store, "run-1", session=delta(kept=1, changed={"a": [None, 1.5]}, removed=True))
    run(store, "run-2", at=1, session=delta(changed="ü", added=[], remove=["removed", "never-there"]))
    assert load(store).fields == {"state:kept": 1, "state:changed": "ü", "state:added": []}


def test_a_field_that_is_set_and_removed_at_once_is_set(store):
    run(store, "run-1", session=delta(key="new", remove=["key"]))
    assert load(store).fields == {"state:key": "new"}


@pytest.mark.parametrize(
    "name",
    ["metadata", "summary", "state:", "state:with space.and-signs#:ü", "data:user_id", "status", "state:" + "x" * 999],
)
def test_a_field_may_have_any_name(store, name):
    run(store, "run-1", session=SessionDelta({name: "value"}))
    assert load(store).fields == {name: "value"}
    run(store, "run-2", at=1, session=SessionDelta(remove=frozenset({name})))
    assert load(store).fields == {}


def test_the_first_run_of_a_session_may_remove_what_is_not_there(store):
    run(store, "run-1", session=delta(remove=["never-there"]))
    assert load(store).fields == {}


def test_two_runs_at_once_keep_each_others_fields(store):
    run(store, "earlier", session=delta(shared=0))
    first, second = (
        store.accept(running("first", accepted_at=NOW + 1)),
        store.accept(running("second", accepted_at=NOW + 2)),
    )
    assert load(store).fields == {"state:shared": 0}
    store.commit(ending(second, session=delta(second=2)))
    store.commit(ending(first, session=delta(first=1, remove=["shared"])))
    assert load(store).fields == {"state:first": 1, "state:second": 2}
    assert ids(load(store).runs) == ["earlier", "first", "second"]
