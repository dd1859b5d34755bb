"""The earlier sessions that agno looks up during one run: its user's own, and no other's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import Session
from agentos_lambda.runs.ports import MAX_PAST_SESSIONS, PastSessions

MAX_RUNS = 100
"""Of a past session, that are read."""


class RunPastSessions:
    """Sessions of the run's user; where the run names none, those that belong to nobody."""

    def __init__(
        self, past: PastSessions | None, user_id: str | None, session_id: str, *, runs: int = MAX_RUNS
    ) -> None:
        """``session_id``: the run's own session, which is not looked up. ``runs``: of each session, where several
        are."""
        self._past = past
        self._user_id = user_id
        self._session_id = session_id
        self._runs = min(runs, MAX_RUNS)

    async def newest(self, kind: Kind, user_id: str | None, limit: int | None) -> Sequence[Session]:
        """The newest sessions with their first runs, newest first; none if ``user_id`` is somebody else."""
        if self._past is None or not self._is_own(user_id):
            return ()
        limit = MAX_PAST_SESSIONS if limit is None else limit
        return await asyncio.to_thread(self._past.past_sessions, kind, self._user_id, limit=limit, runs=self._runs)

    async def one(self, session_id: str, user_id: str | None) -> Session | None:
        """The session with its first ``MAX_RUNS`` runs; None if there is none, or it is somebody else's."""
        if self._past is None or session_id == self._session_id or not self._is_own(user_id):
            return None
        return await asyncio.to_thread(self._past.past_session, session_id, self._user_id, runs=MAX_RUNS)

    def _is_own(self, user_id: str | None) -> bool:
        return user_id in (None, self._user_id)
