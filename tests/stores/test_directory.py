"""What every store guarantees about sessions that requests create, list, change and delete."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import SessionExists
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.sessions.model import BuriedRun, SessionFilter
from tests.stores.builders import NOW, delta, ending, list_runs, load, pack, pending, running

ALL = SessionFilter()


def session(session_id="session-1", **changes):
    made = Session(session_id, Kind.AGENT, "writer", "alice", NOW, NOW, {"state:mood": "calm"}, name="Talk")
    return replace(made, **changes)


def run(store, run_id="run-1", status=RunStatus.COMPLETED, *, at=1, **record):
    """Accept and commit a run at a time of its own."""
    accepted = store.accept(running(run_id, accepted_at=NOW + at, **record))
    return store.commit(ending(accepted, status, title=f"about {run_id}"))


def ids(entries):
    return [entry.session_id for entry in entries]


def test_a_created_session_is_there_before_its_first_run(store):
    store.create(session())
    assert store.find("session-1") == session()
    assert store.bare("session-1") == session(fields={})
    assert load(store) == session()
    assert store.whole("session-1") == session()
    assert ids(store.entries(ALL, limit=9)) == ["session-1"]
    assert store.heads(["session-1"]) == [session()]
    assert store.count(ALL) == 1


def test_a_session_is_created_once(store):
    store.create(session())
    with pytest.raises(SessionExists):
        store.create(session(name="Another", user_id="bob"))
    assert store.find("session-1") == session()
    assert store.count(ALL) == 1


def test_a_run_goes_on_in_a_created_session(store):
    store.create(session())
    run(store, at=5)
    found = store.whole("session-1")
    assert (found.name, found.created_at, found.updated_at) == ("Talk", NOW, NOW + 5_000)
    assert [stored.run_id for stored in found.runs] == ["run-1"]
    assert store.count(ALL) == 1


def test_a_session_without_a_component_or_a_user_is_listed_by_its_kind(store):
    store.create(session(component_id=None, user_id=None, name=None))
    assert store.find("session-1").component_id is None
    assert store.count(ALL) == store.count(SessionFilter(Kind.AGENT)) == 1
    assert store.count(SessionFilter(Kind.AGENT, "writer")) == 0
    assert ids(store.entries(SessionFilter(component_id="writer"), limit=9)) == []


def test_the_first_message_names_a_session_that_has_no_name(store):
    run(store, "first", at=1)
    run(store, "second", at=2)
    assert store.find("session-1").name == "about first"
    [entry] = store.entries(ALL, limit=9)
    assert entry.name == "about first"


def test_sessions_are_listed_newest_first_or_oldest_first(store):
    for at in (3, 1, 5, 2, 4):
        run(store, f"run-{at}", at=at, session_id=f"session-{at}")
    assert ids(store.entries(ALL, limit=3)) == ["session-5", "session-4", "session-3"]
    assert ids(store.entries(ALL, limit=2, ascending=True)) == ["session-1", "session-2"]
    assert len(store.entries(ALL, limit=99)) == store.count(ALL) == 5


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (SessionFilter(Kind.TEAM), {"team"}),
        (SessionFilter(component_id="writer"), {"own", "bobs", "nobodys", "team"}),
        (SessionFilter(Kind.AGENT, "writer"), {"own", "bobs", "nobodys"}),
        (SessionFilter(Kind.AGENT, "editor"), {"edited"}),
        (SessionFilter(user_id="alice"), {"own", "team", "edited"}),
        (SessionFilter(Kind.AGENT, user_id="alice"), {"own", "edited"}),
        (SessionFilter(user_id="carol"), set()),
        (SessionFilter(component_id="writer", user_id="bob"), {"bobs"}),
    ],
)
def test_sessions_are_chosen_by_kind_component_and_user(store, chosen, expected):
    run(store, "1", at=1, session_id="own")
    run(store, "2", at=2, session_id="bobs", user_id="bob")
    run(store, "3", at=3, session_id="nobodys", user_id=None)
    run(store, "4", at=4, session_id="team", kind=Kind.TEAM)
    run(store, "5", at=5, session_id="edited", component_id="editor")
    assert set(ids(store.entries(chosen, limit=9))) == expected
    assert store.count(chosen) == len(expected)


def test_a_session_without_an_owner_stays_everybodys_whoever_runs_in_it(store):
    store.create(session(user_id=None))
    run(store, user_id="bob")
    assert store.find("session-1").user_id is None
    assert store.count(SessionFilter(user_id="bob")) == 0
    assert store.count(ALL) == 1


def test_heads_come_in_the_order_that_was_asked_for_without_those_that_are_gone(store):
    for place in range(3):
        store.create(session(f"session-{place}"))
    assert ids(store.heads(["session-2", "missing", "session-0"])) == ["session-2", "session-0"]


def test_a_change_is_merged_into_what_runs_have_written(store):
    store.create(session())
    read = store.find("session-1")
    accepted = store.accept(running())
    store.commit(ending(accepted, session=delta(written=1), read=read))
    changed = store.change(
        read, SessionDelta({"metadata": {"a": 1}}, frozenset({"state:mood"})), name="New", now=NOW + 9
    )
    assert changed.fields == {"state:written": 1, "metadata": {"a": 1}}
    assert (changed.name, changed.updated_at) == ("New", NOW + 9)
    assert store.find("session-1") == changed
    assert store.entries(ALL, limit=9)[0].name == "New"


def test_a_renamed_session_keeps_its_name_through_later_runs(store):
    run(store, "first", at=1)
    store.change(store.find("session-1"), SessionDelta(), name="", now=NOW + 2)
    run(store, "second", at=3)
    assert store.find("session-1").name == ""


@pytest.mark.parametrize("between", ["deleted", "begun again"])
def test_a_change_of_another_session_than_the_one_that_was_read_is_refused(store, between):
    store.create(session())
    read = store.find("session-1")
    store.bury("session-1", read, now=NOW + 1)
    if between == "begun again":
        run(store, at=2)
    assert store.change(read, SessionDelta({"metadata": 1}), name="mine", now=NOW + 9) is None
    assert not store.bury("session-1", read, now=NOW + 9)
    left = store.find("session-1")
    assert left is None or (left.name != "mine" and "metadata" not in left.fields)
    assert store.count(ALL) == (0 if between == "deleted" else 1)


def test_a_deleted_session_is_gone_at_once(store):
    run(store)
    assert store.bury("session-1", store.find("session-1"), now=NOW + 2)
    assert store.find("session-1") is None
    assert store.whole("session-1") is None
    assert load(store) is None
    assert store.heads(["session-1"]) == []
    assert ids(store.entries(ALL, limit=9)) == []
    assert [
        store.count(each) for each in (ALL, SessionFilter(component_id="writer"), SessionFilter(user_id="alice"))
    ] == [
        0,
        0,
        0,
    ]


def test_a_run_accepted_before_the_deletion_commits_without_its_session(store):
    run(store)
    read = store.find("session-1")
    late = store.accept(running("late", accepted_at=NOW + 2))
    store.bury("session-1", read, now=NOW + 2)
    made = ending(late, session=delta(mood="late"), last_events=pack(0, "end"), sealed_at=0, read=read)
    ended = store.commit(made)
    assert (ended.status, ended.in_session) == (RunStatus.COMPLETED, False)
    assert store.commit(made) == ended == store.get("late")
    assert store.find("session-1") is None
    assert store.count(ALL) == 0
    assert store.output(ended) is None


def test_a_run_accepted_after_the_deletion_begins_a_new_session(store):
    run(store, "old")
    store.bury("session-1", store.find("session-1"), now=NOW + 2)
    run(store, "new", at=3)
    found = store.whole("session-1")
    assert (found.name, found.created_at) == ("about new", NOW + 3)
    assert [stored.run_id for stored in found.runs] == ["new"]
    since = list_runs(store, after=found.deleted_at)
    assert [stored.run_id for stored in since] == ["new"]
    assert [stored.run_id for stored in load(store).runs] == ["new"]
    assert store.count(ALL) == 1


def test_a_late_commit_does_not_come_into_the_session_that_followed(store):
    run(store, "old")
    late = store.accept(running("late", accepted_at=NOW + 2))
    store.bury("session-1", store.find("session-1"), now=NOW + 2)
    run(store, "new", at=3)
    assert not store.commit(ending(late, session=delta(mood="late"))).in_session
    found = store.whole("session-1")
    assert [stored.run_id for stored in found.runs] == ["new"]
    assert found.fields == {}


def test_runs_of_a_session_that_has_none_yet_can_be_kept_from_beginning_one(store):
    early = store.accept(running("early"))
    assert store.active_runs("session-1") == ["early"]
    assert store.bury("session-1", None, now=NOW + 1)
    assert not store.commit(ending(early)).in_session
    assert store.find("session-1") is None
    assert store.count(ALL) == 0


def test_a_session_is_not_deleted_unseen(store):
    store.create(session())
    assert not store.bury("session-1", None, now=NOW + 1)
    assert store.find("session-1") == session()


def test_a_session_is_created_after_a_deletion(store):
    store.create(session())
    store.bury("session-1", session(), now=NOW + 1)
    again = session(created_at=NOW + 2, updated_at=NOW + 2, name=None, fields={})
    store.create(again)
    assert store.find("session-1") == again
    assert store.count(ALL) == 1


def test_active_runs_are_those_that_wait_or_run(store):
    store.accept(pending("waits"))
    store.accept(running("runs"))
    store.accept(running("elsewhere", session_id="session-2"))
    run(store, "ended")
    paused = run(store, "paused", RunStatus.PAUSED)
    assert sorted(store.active_runs("session-1")) == ["runs", "waits"]
    store.reopen(paused, executor="again", now=NOW, lease_until=NOW + 1)
    assert sorted(store.active_runs("session-1")) == ["paused", "runs", "waits"]


def test_what_a_deleted_session_held_can_be_removed_again_and_again(store):
    record = store.accept(running(accepted_at=NOW + 1))
    store.append("run-1", 1, pack(0, "a"))
    ended = store.commit(ending(record, RunStatus.PAUSED, last_events=pack(1, "end"), sealed_at=1))
    store.bury("session-1", store.find("session-1"), now=NOW + 2)
    run(store, "new", at=3)
    buried = BuriedRun("run-1", NOW + 1)
    assert store.buried_runs("session-1", until=NOW + 2, limit=9) == [buried]
    for _ in range(2):
        assert store.remove_run("session-1", buried)
        store.remove_values("session-1", until=NOW + 2, media=True)
        store.close("session-1", deleted_at=NOW + 2, expires_at=NOW + 9)
    assert store.get("run-1") is None
    assert store.output(ended) is None
    assert list(store.read(ended, after=-1)) == []
    assert store.buried_runs("session-1", until=NOW + 2, limit=9) == []
    assert [stored.run_id for stored in store.whole("session-1").runs] == ["new"]


def test_a_run_that_is_executed_is_not_removed(store):
    paused = run(store, "run-1", RunStatus.PAUSED)
    store.bury("session-1", store.find("session-1"), now=NOW + 2)
    store.reopen(paused, executor="again", now=NOW, lease_until=NOW + 1)
    assert not store.remove_run("session-1", BuriedRun("run-1", NOW + 1))
    assert store.get("run-1").status is RunStatus.RUNNING


def test_a_run_without_a_record_is_removed_like_any_other(store):
    run(store, "run-1")
    store.bury("session-1", store.find("session-1"), now=NOW + 2)
    assert store.remove_run("session-1", BuriedRun("run-1", NOW + 1))
    assert store.remove_run("session-1", BuriedRun("run-1", NOW + 1))
    assert store.buried_runs("session-1", until=NOW + 2, limit=9) == []
