"""Who may see what. A hidden run looks the same as a missing one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentos_lambda.runs.errors import NotFound

if TYPE_CHECKING:
    from agentos_lambda.runs.catalog import Component
    from agentos_lambda.runs.model import RunRecord, Session
    from agentos_lambda.runs.ports import Store


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf something is asked for."""

    user_id: str | None = None
    """None for nobody in particular."""
    isolated: bool = False
    """Only what is this user's own is visible: what has no owner is not."""

    def may_read(self, owner: str | None) -> bool:
        """Whether something of this owner is visible. A caller that names no user sees everybody's."""
        return (self.user_id is None and not self.isolated) or self.may_use(owner)

    def may_use(self, owner: str | None) -> bool:
        """Whether a run may take place in a session of this owner."""
        if owner is None:
            return not self.isolated
        return owner == self.user_id


ANYBODY = Caller()


def never(_session: Session) -> bool:
    """No session has expired."""
    return False


def find_run(
    store: Store, component: Component, run_id: str, *, session_id: str | None = None, caller: Caller = ANYBODY
) -> RunRecord:
    """The component's run. Raises ``NotFound``, also if it is in another session, or not the caller's."""
    record = store.get(run_id)
    if (
        record is None
        or (record.kind, record.component_id) != (component.kind, component.id)
        or not may_see(record, session_id=session_id, caller=caller)
    ):
        raise NotFound("Run not found")
    return record


def find_session(
    store: Store,
    component: Component,
    session_id: str,
    *,
    caller: Caller,
    history: int | None,
    gone: Callable[[Session], bool] = never,
) -> Session | None:
    """The session to run in, as ``SessionStore.load`` gives it; None if it is new, or ``gone``.

    Raises ``NotFound`` if it is not the caller's: who names no user does not run in somebody's session.
    """
    session = store.load(session_id, kind=component.kind, component_id=component.id, history=history)
    if session is None or gone(session):
        return None
    if not caller.may_use(session.user_id):
        raise NotFound("Session not found")
    return session


def may_see(record: RunRecord, *, session_id: str | None, caller: Caller) -> bool:
    """Whether a request of this caller that names this session (None: none) may see the run."""
    return session_id in (None, record.session_id) and caller.may_read(record.user_id)
