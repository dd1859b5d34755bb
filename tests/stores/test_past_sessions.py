"""What every store guarantees about sessions that runs look up."""

from __future__ import annotations

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.ports import MAX_PAST_SESSIONS
from tests.stores.builders import NOW
from tests.stores.test_directory import ids, run, session


@pytest.fixture
def talked(store):
    """With sessions of two users and of nobody, the newest last."""
    run(store, "1", at=1, session_id="old")
    run(store, "2", at=2, session_id="old", status=RunStatus.ERROR)
    run(store, "3", at=3, session_id="old", component_id="editor")
    run(store, "4", at=4, session_id="team", kind=Kind.TEAM)
    run(store, "5", at=5, session_id="bobs", user_id="bob")
    run(store, "6", at=6, session_id="nobodys", user_id=None)
    run(store, "7", at=7, session_id="nobodys")
    run(store, "8", at=8, session_id="new")
    return store


def runs(found):
    return [stored.run_id for stored in found.runs]


def past(store, user_id="alice", limit=9, runs=9):
    return store.past_sessions(Kind.AGENT, user_id, limit=limit, runs=runs)


def test_the_newest_sessions_of_a_user_are_found_with_their_first_runs(talked):
    assert ids(past(talked)) == ["new", "old"]
    assert ids(past(talked, limit=1)) == ["new"]
    assert [runs(each) for each in past(talked, runs=2)] == [["8"], ["1", "2"]]
    assert ids(talked.past_sessions(Kind.TEAM, "alice", limit=9, runs=9)) == ["team"]
    assert runs(talked.past_session("old", "alice", runs=9)) == ["1", "2", "3"]
    assert runs(talked.past_session("old", "alice", runs=1)) == ["1"]


def test_what_belongs_to_nobody_is_found_without_what_users_did_there(talked):
    assert [(each.session_id, runs(each)) for each in past(talked, user_id=None)] == [("nobodys", ["6"])]
    assert runs(talked.past_session("nobodys", None, runs=9)) == ["6"]


@pytest.mark.parametrize(("session_id", "user_id"), [("bobs", "alice"), ("nobodys", "alice"), ("old", None)])
def test_what_is_somebody_else_s_looks_as_if_it_were_not_there(talked, session_id, user_id):
    assert talked.past_session(session_id, user_id, runs=9) is None
    assert talked.past_session("never", user_id, runs=9) is None


def test_a_deleted_session_is_not_found_and_the_one_that_follows_has_none_of_its_runs(talked):
    talked.bury("old", talked.find("old"), now=NOW + 10)
    assert ids(past(talked)) == ["new"]
    assert talked.past_session("old", "alice", runs=9) is None

    run(talked, "11", at=11, session_id="old")
    assert [(each.session_id, runs(each)) for each in past(talked)] == [("old", ["11"]), ("new", ["8"])]
    assert runs(talked.past_session("old", "alice", runs=9)) == ["11"]


def test_no_more_sessions_are_found_than_a_run_may_look_at(store):
    for place in range(MAX_PAST_SESSIONS + 1):
        store.create(session(f"session-{place}"))

    assert len(past(store, limit=1_000)) == MAX_PAST_SESSIONS
