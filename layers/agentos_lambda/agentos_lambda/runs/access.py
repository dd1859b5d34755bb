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
        or session_id not in (None, record.session_id)
        or (user_id is not None and hidden(record.user_id, user_id))
    ):
        raise NotFound("Run not found")
    return record


def find_session(
    store: Store, component: Component, session_id: str, *, user_id: str | None, history: int
) -> Session | None:
    """The session to run in, with its last runs; None if it is new. Raises ``NotFound`` if it is another user's."""
    session = store.load(session_id, kind=component.kind, component_id=component.id, history=history)
    if session is not None and hidden(session.user_id, user_id):
        raise NotFound("Session not found")
    return session


def hidden(owner: str | None, caller: str | None) -> bool:
    """Whether something of this owner is hidden from this caller. Everybody sees what has no owner."""
    return owner is not None and owner != caller
