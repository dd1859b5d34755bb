"""Conversations that a run looks up: the same in every store, by what its directory of sessions answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import Session, StoredRun
from agentos_lambda.runs.ports import MAX_PAST_SESSIONS
from agentos_lambda.sessions.model import SessionFilter
from agentos_lambda.sessions.ports import SessionDirectory

FirstRuns = Callable[[Session, int], Sequence[StoredRun]]
"""The first so many runs of a session, oldest first, without those of another user than the session's."""


class PastSessionsByIndex:
    """Implements ``runs.ports.PastSessions``."""

    def __init__(self, directory: SessionDirectory, first_runs: FirstRuns) -> None:
        self._directory = directory
        self._first_runs = first_runs

    def past_sessions(self, kind: Kind, user_id: str | None, *, limit: int, runs: int) -> Sequence[Session]:
        limit = min(limit, MAX_PAST_SESSIONS)
        # There is no index of what belongs to nobody.
        looked_at = MAX_PAST_SESSIONS if user_id is None else limit
        entries = self._directory.entries(SessionFilter(kind, user_id=user_id), limit=looked_at)
        own = [entry.session_id for entry in entries if entry.user_id == user_id][:limit]
        # The index may be some moments old: a session may be somebody else's by now.
        heads = [head for head in self._directory.heads(own) if (head.kind, head.user_id) == (kind, user_id)]
        return [self._with_runs(head, runs) for head in heads]

    def past_session(self, session_id: str, user_id: str | None, *, runs: int) -> Session | None:
        head = self._directory.find(session_id)
        return None if head is None or head.user_id != user_id else self._with_runs(head, runs)

    def _with_runs(self, head: Session, runs: int) -> Session:
        return replace(head, runs=tuple(self._first_runs(head, runs)))
