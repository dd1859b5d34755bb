"""The values of requests about sessions. All times are milliseconds since the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import Session


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Sessions of a kind, of a component, of a user; of any where it is None."""

    kind: Kind | None = None
    component_id: str | None = None
    user_id: str | None = None

    @property
    def kinds(self) -> Sequence[Kind]:
        return [self.kind] if self.kind is not None else list(Kind)


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """What the indexes hold of a session."""

    session_id: str
    kind: Kind
    component_id: str | None
    user_id: str | None
    created_at: int
    name: str | None


class SortBy(StrEnum):
    """What a list is sorted by."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    SESSION_ID = "session_id"
    SESSION_TYPE = "session_type"
    USER_ID = "user_id"
    AGENT_ID = "agent_id"
    TEAM_ID = "team_id"
    WORKFLOW_ID = "workflow_id"


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """A page of a list. Pages count from 1."""

    filter: SessionFilter
    name: str | None = None
    """A part of the name, in upper or lower case."""
    limit: int = 20
    page: int = 1
    sort_by: SortBy = SortBy.CREATED_AT
    ascending: bool = False

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class SessionPage:
    """A page, and how many sessions the list has in all."""

    sessions: Sequence[Session]
    total: int


@dataclass(frozen=True, slots=True)
class BuriedRun:
    """A run of a deleted session."""

    run_id: str
    accepted_at: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """The removal of all that a session held until it was deleted."""

    session_id: str
    deleted_at: int
    media: bool = False
    """Whether its media are removed as well."""
    cancelled: tuple[str, ...] = ()
    """Ids of runs that are cancelled for it, and are not known to be gone."""
    expired: bool = False
    """Whether nobody has asked for it: the session had expired. It lives on if somebody has written to it since."""

    def after(self, cancelled: Sequence[str]) -> Deletion:
        """What is left to do, with these runs."""
        return replace(self, cancelled=tuple(cancelled))
