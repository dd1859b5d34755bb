"""Who may see what. A hidden run looks the same as a missing one."""

from __future__ import annotations

from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Component, RunRecord, Session
from agentos_lambda.runs.ports import Store


def find_run(
    store: Store, component: Component, run_id: str, *, session_id: str | None = None, user_id: str | None = None
) -> RunRecord:
    """The component's run. Raises ``NotFound``, also if a session or user is given that is not the run's."""
    record = store.get(run_id)
    if (
        record is None
        or (record.kind, record.component_id) != (component.kind, component.id)
        or not may_see(record, session_id=session_id, user_id=user_id)
    ):
        raise NotFound("Run not found")
    return record


def find_session(
    store: Store, component: Component, session_id: str, *, user_id: str | None, history: int | None
) -> Session | None:
    """The session to run in, as ``SessionStore.load`` gives it; None if it is new.

    Raises ``NotFound`` if it is another user's: who names no user does not run in somebody's session.
    """
    session = store.load(session_id, kind=component.kind, component_id=component.id, history=history)
    if session is not None and session.user_id not in (None, user_id):
        raise NotFound("Session not found")
    return session


def may_see(record: RunRecord, *, session_id: str | None, user_id: str | None) -> bool:
    """Whether a request that names this session and this user (None: none) may see the run."""
    return session_id in (None, record.session_id) and sees(record.user_id, user_id)


def sees(owner: str | None, user_id: str | None) -> bool:
    """Whether a request that names this user (None: none) may see what this owner has. Everybody sees what has none."""
    return owner is None or user_id in (None, owner)
