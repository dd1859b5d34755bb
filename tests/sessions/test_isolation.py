"""What an isolated caller sees of other users' sessions: nothing, in the words for what is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.access import ANYBODY, Caller
from agentos_lambda.runs.errors import Conflict, NotFound
from agentos_lambda.runs.model import SessionDelta
from agentos_lambda.sessions.model import SessionFilter, SessionPage, SessionQuery
from agentos_lambda.sessions.service import SessionService
from tests.runs.world import World

ALICE, BOB, NAMELESS = Caller("alice", isolated=True), Caller("bob", isolated=True), Caller(isolated=True)
EVERYTHING = SessionQuery(SessionFilter())


@pytest.fixture
def sessions(world):
    service = SessionService(world.store, world.queue, world.clock, new_id=world.new_id)
    for owner in ("alice", "bob", None):
        service.create(Kind.AGENT, session_id=f"of {owner}", user_id=owner, fields={})
    return service


@pytest.fixture
def world():
    return World()


def ids(page):
    return {session.session_id for session in page.sessions}


def test_a_list_has_the_callers_own(sessions):
    assert ids(sessions.list(EVERYTHING, caller=ALICE)) == {"of alice"}
    assert ids(sessions.list(EVERYTHING, caller=NAMELESS)) == set()
    assert len(ids(sessions.list(EVERYTHING, caller=ANYBODY))) == 3


def test_a_list_has_no_session_that_is_somebody_elses_by_now(sessions, world, monkeypatch):
    """An id whose session was deleted may be another user's before the index knows."""
    outdated = world.store.entries(SessionFilter(), limit=9)
    monkeypatch.setattr(world.store, "entries", lambda *_, **__: outdated)
    for query in (EVERYTHING, replace(EVERYTHING, name="")):
        assert ids(sessions.list(query, caller=ALICE)) == {"of alice"}


@pytest.mark.parametrize("session_id", ["of bob", "of None", "missing"])
@pytest.mark.parametrize("caller", [ALICE, NAMELESS])
def test_anothers_session_looks_like_a_missing_one(sessions, session_id, caller):
    for ask in (
        lambda: sessions.get(session_id, caller=caller),
        lambda: sessions.change(session_id, lambda _: SessionDelta(), name="mine", caller=caller),
    ):
        with pytest.raises(NotFound) as refused:
            ask()
        assert str(refused.value) == f"Session with id '{session_id}' not found"


class Unasked:
    """A store that nothing is to be asked of: DynamoDB refuses a key that is empty, or longer than 2 KB."""

    whole = find = entries = count = heads = active_runs = bury = property(lambda self: pytest.fail("asked"))


@pytest.mark.parametrize("session_id", ["", "x" * 3_000, "a/b", "line\nbreak"])
def test_what_cannot_be_an_id_is_the_id_of_no_session(world, session_id):
    sessions = SessionService(Unasked(), world.queue, world.clock, new_id=world.new_id)
    with pytest.raises(NotFound):
        sessions.get(session_id)
    sessions.delete(session_id)
    assert not world.queue.deletions
    for chosen in (SessionFilter(user_id="x" * 3_000), SessionFilter(component_id="x" * 3_000)):
        assert sessions.list(SessionQuery(chosen)) == SessionPage((), 0)


@pytest.mark.parametrize("session_id", ["of bob", "of None", "missing"])
def test_anothers_session_is_not_deleted(sessions, world, session_id):
    sessions.delete(session_id, caller=ALICE)
    assert len(ids(sessions.list(EVERYTHING))) == 3
    assert not world.queue.deletions


def test_a_missing_session_of_anothers_first_run_is_not_deleted(sessions, world):
    waiting = world.enqueue(session_id="new", user_id="bob")
    sessions.delete("new", caller=ALICE)
    assert world.store.active_runs("new") == [waiting.run_id]
    assert not world.queue.deletions


def test_a_taken_id_does_not_tell_whose_it_is(sessions):
    with pytest.raises(Conflict) as own:
        sessions.create(Kind.AGENT, session_id="of alice", fields={}, caller=ALICE)
    assert "PATCH" in str(own.value)
    with pytest.raises(Conflict) as anothers:
        sessions.create(Kind.AGENT, session_id="of bob", fields={}, caller=ALICE)
    assert "bob" not in str(anothers.value)
    assert "PATCH" not in str(anothers.value)
