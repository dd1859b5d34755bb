"""What requests do with sessions. Methods block for the store and may be called in any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from agentos_lambda.protocol.ids import MAX_FOREIGN_ID_LENGTH, is_session_id
from agentos_lambda.protocol.values import Json, Kind
from agentos_lambda.runs.access import ANYBODY, Caller
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import Conflict, NotFound, NotStorable, SessionExists
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.runs.session_fields import NAME_FIELD
from agentos_lambda.runs.session_limits import refused_change
from agentos_lambda.sessions.access import visible
from agentos_lambda.sessions.expiry import SessionExpiry
from agentos_lambda.sessions.listing import page_of
from agentos_lambda.sessions.model import Deletion, SessionFilter, SessionPage, SessionQuery
from agentos_lambda.sessions.ports import DeletionQueue, DeletionStore

_MAX_RACES = 5
"""How often a session may change hands while a request changes it."""


class SessionService:
    """Sessions of all kinds."""

    def __init__(
        self, directory: DeletionStore, queue: DeletionQueue, clock: Clock, *, new_id: Callable[[], str]
    ) -> None:
        self._directory = directory
        self._queue = queue
        self._clock = clock
        self._new_id = new_id
        self._expiry = SessionExpiry(directory, queue, clock)

    def list(self, query: SessionQuery, *, caller: Caller = ANYBODY) -> SessionPage:
        """A page of the sessions that fit, of the caller's user if it has one."""
        if caller.user_id is None and caller.isolated:
            return SessionPage((), 0)
        user_id = query.filter.user_id if caller.user_id is None else caller.user_id
        chosen = replace(query.filter, user_id=user_id)
        if _fits_nothing(chosen):
            return SessionPage((), 0)
        page = page_of(self._directory, replace(query, filter=chosen))
        # The index may be some moments old: a session may be somebody else's by now.
        return replace(page, sessions=[each for each in page.sessions if user_id in (None, each.user_id)])

    def create(
        self,
        kind: Kind,
        *,
        session_id: str | None = None,
        component_id: str | None = None,
        user_id: str | None = None,
        name: str | None = None,
        fields: Mapping[str, Json],
        caller: Caller = ANYBODY,
    ) -> Session:
        """A session before its first run. Raises ``Conflict`` if there is one with this id, and ``NotStorable``."""
        now = self._clock.now()
        chosen = session_id or self._new_id()
        named = {} if name is None else {NAME_FIELD: name}
        session = Session(chosen, kind, component_id, user_id, now, now, {**fields, **named}, name=name)
        _check_size(None, SessionDelta(session.fields))
        try:
            self._create(session)
        except SessionExists as taken:
            raise Conflict(self._why_taken(chosen, caller)) from taken
        return session

    def _create(self, session: Session) -> None:
        """In the place of one that has expired, too."""
        try:
            self._directory.create(session)
        except SessionExists:
            there = self._directory.bare(session.session_id, expired=True)
            if there is not None and not self._expiry.removed(there):
                raise
            self._directory.create(session)

    def _why_taken(self, session_id: str, caller: Caller) -> str:
        """In words that tell an isolated caller nothing of somebody else's session."""
        there = self._directory.bare(session_id) if caller.isolated else None
        if caller.isolated and (there is None or not visible(there, caller)):
            return (
                "Could not create a session with the supplied session_id. "
                "Omit session_id to have one generated, or choose a different one."
            )
        return f"Session with id '{session_id}' already exists. Use PATCH /sessions/{session_id} to update it."

    def get(self, session_id: str, *, caller: Caller = ANYBODY, missing: str | None = None) -> Session:
        """The session with all its runs, oldest first.

        Raises ``NotFound``, with the words ``missing`` where given, also for one that is not the caller's.
        """
        if is_session_id(session_id) and (caller == ANYBODY or self._is_visible(session_id, caller)):
            session = self._directory.whole(session_id)
            if session is not None and visible(session, caller):
                return session
        raise NotFound(missing or _no_session(session_id))

    def _is_visible(self, session_id: str, caller: Caller) -> bool:
        """Found out without reading somebody else's runs and fields, which would take longer than to find nothing."""
        session = self._directory.bare(session_id)
        return session is not None and visible(session, caller)

    def change(
        self,
        session_id: str,
        changes: Callable[[Session], SessionDelta],
        *,
        name: str | None = None,
        caller: Caller = ANYBODY,
    ) -> Session:
        """Change the fields of the session and, unless None, its name. Gives it with its runs.

        Raises ``NotFound``, and ``NotStorable`` for a state that is too large.

        ``changes`` says from the session as it is what to change; it may be asked again.
        """
        for _ in range(_MAX_RACES):
            session = self.get(session_id, caller=caller)
            delta = changes(session)
            if name is not None:
                delta = replace(delta, set={**delta.set, NAME_FIELD: name})
            _check_size(session, delta)
            changed = self._directory.change(session, delta, name=name, now=self._clock.now())
            if changed is not None:
                return replace(changed, runs=session.runs)
        raise Conflict("The session changes too quickly")

    def delete(self, session_id: str, *, caller: Caller = ANYBODY, media: bool = False) -> None:
        """Delete the session: readers see it gone at once, and a worker removes what it held.

        What is not there, or not the caller's, is left alone silently.
        """
        if not is_session_id(session_id):
            return
        for _ in range(_MAX_RACES):
            session = self._directory.bare(session_id, expired=True)
            if session is not None and not visible(session, caller):
                return
            if session is None and (caller != ANYBODY or not self._directory.active_runs(session_id)):
                return
            now = self._clock.now()
            # First, so that the deletion comes to its end even if this process does not come any further.
            self._queue.send_deletion(Deletion(session_id, now, media))
            if self._directory.bury(session_id, session, now=now):
                return
        raise Conflict("The session changes too quickly")


def _fits_nothing(chosen: SessionFilter) -> bool:
    """Whether it names what cannot be the id of a user or a component: for a store, no key either."""
    return any(len(each or "") > MAX_FOREIGN_ID_LENGTH for each in (chosen.user_id, chosen.component_id))


def _check_size(session: Session | None, changes: SessionDelta) -> None:
    refused = refused_change(session, changes)
    if refused is not None:
        raise NotStorable(refused)


def _no_session(session_id: str) -> str:
    return f"Session with id '{session_id}' not found"
