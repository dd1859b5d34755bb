"""Pages of sessions, made from what the indexes hold.

An index answers for one kind, component or user, in the order of creation. What it does not answer by itself is found
among the newest sessions that it has.
"""

from __future__ import annotations

from collections.abc import Callable

from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.model import Session
from agentos_lambda.sessions.model import SessionEntry, SessionPage, SessionQuery, SortBy
from agentos_lambda.sessions.ports import SessionDirectory

WINDOW = 1_000
"""How many of the newest sessions a list looks at that is searched by name, not sorted by creation, or of both a
component and a user."""

_SORT_KEYS: dict[SortBy, Callable[[SessionEntry], str]] = {
    SortBy.CREATED_AT: lambda _entry: "",
    SortBy.SESSION_ID: lambda entry: entry.session_id,
    SortBy.SESSION_TYPE: lambda entry: entry.kind,
    SortBy.USER_ID: lambda entry: entry.user_id or "",
    SortBy.AGENT_ID: lambda entry: _component(entry, Kind.AGENT),
    SortBy.TEAM_ID: lambda entry: _component(entry, Kind.TEAM),
    SortBy.WORKFLOW_ID: lambda entry: _component(entry, Kind.WORKFLOW),
}
"""What an index holds of a session. What is equal is in the order of creation."""


def page_of(directory: SessionDirectory, query: SessionQuery) -> SessionPage:
    """The page that the query asks for."""
    by_both = query.filter.component_id is not None and query.filter.user_id is not None
    if query.name is None and query.sort_by is SortBy.CREATED_AT and not by_both:
        return _indexed(directory, query)
    return _searched(directory, query)


def _indexed(directory: SessionDirectory, query: SessionQuery) -> SessionPage:
    total = directory.count(query.filter)
    if query.offset >= total:
        return SessionPage((), total)
    entries = directory.entries(query.filter, limit=query.offset + query.limit, ascending=query.ascending)
    return SessionPage(directory.heads([entry.session_id for entry in entries[query.offset :]]), total)


def _searched(directory: SessionDirectory, query: SessionQuery) -> SessionPage:
    found = [entry for entry in directory.entries(query.filter, limit=WINDOW) if _fits(entry, query)]
    page = slice(query.offset, query.offset + query.limit)
    if query.sort_by is SortBy.UPDATED_AT:
        sessions = directory.heads([entry.session_id for entry in found])
        return SessionPage(sorted(sessions, key=_changed, reverse=not query.ascending)[page], len(sessions))
    key = _SORT_KEYS[query.sort_by]
    chosen = sorted(
        found, key=lambda entry: (key(entry), entry.created_at, entry.session_id), reverse=not query.ascending
    )
    return SessionPage(directory.heads([entry.session_id for entry in chosen[page]]), len(found))


def _component(entry: SessionEntry, kind: Kind) -> str:
    return (entry.component_id or "") if entry.kind is kind else ""


def _fits(entry: SessionEntry, query: SessionQuery) -> bool:
    if query.filter.component_id not in (None, entry.component_id):
        return False
    return query.name is None or query.name.casefold() in (entry.name or "").casefold()


def _changed(session: Session) -> tuple[int, str]:
    return session.updated_at, session.session_id
