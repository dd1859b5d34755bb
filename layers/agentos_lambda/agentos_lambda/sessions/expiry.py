"""Deletes sessions that have expired, as if somebody had asked for it."""

from __future__ import annotations

import logging

from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.model import Session
from agentos_lambda.sessions.model import Deletion
from agentos_lambda.sessions.ports import DeletionQueue, ExpiringSessions

log = logging.getLogger(__name__)

SETTLED_AFTER_MS = 30_000
"""A run that was accepted just before a session was to go is in the index of active runs by then."""
SESSIONS_A_SWEEP = 500
"""Sessions that one sweep looks at: some seconds."""
LOOK_AGAIN_MS = 3_600_000
"""When a sweep comes back to an expired session in which a run is under way."""


class SessionExpiry:
    """Sweeps may overlap, with each other and with requests: every step is a conditional write."""

    def __init__(self, store: ExpiringSessions, queue: DeletionQueue, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock

    def removed(self, session: Session) -> bool:
        """Delete the session, if it has expired. False if it lives on: for a run that was accepted before it expired,
        or since somebody has written to it."""
        expires_at = session.expires_at
        if expires_at is None or self._clock.now() <= expires_at + SETTLED_AFTER_MS:
            return False
        if self._store.active_runs(session.session_id):
            return False
        # First, so that the deletion comes to its end even if this process does not come any further.
        self._queue.send_deletion(Deletion(session.session_id, expires_at, media=True, expired=True))
        return self._store.bury(session.session_id, session, now=expires_at)

    def sweep(self, *, until: int) -> int:
        """Delete expired sessions, until the time ``until``. Gives how many."""
        removed, now = 0, self._clock.now()
        for session in self._store.expiring(before=now - SETTLED_AFTER_MS, limit=SESSIONS_A_SWEEP):
            if self._clock.now() >= until:
                break
            if self.removed(session):
                removed += 1
                log.info("the session has expired", extra={"session_id": session.session_id})
            elif session.expires_at is not None:
                self._store.look_again(session, at=max(session.expires_at, now + LOOK_AGAIN_MS))
        return removed
