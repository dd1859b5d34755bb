"""Whose sessions a request is about."""

from __future__ import annotations

from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.model import Session


def visible(session: Session, caller: Caller) -> bool:
    """Whether a request of this caller is about this session.

    A caller that names no user is asking about everybody's. One that does is asking about this user's only, and not
    about those without an owner (AgentOS 3.1).
    """
    if caller.user_id is None:
        return not caller.isolated
    return session.user_id == caller.user_id
