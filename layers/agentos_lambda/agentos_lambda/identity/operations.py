"""Which scope each operation needs: the default table of AgentOS 3.1.10, and our own operations beside it.

A route of a component is checked twice, as AgentOS does: for the scope of its row, and for the action on the component
in its path. Routes that AgentOS's table leaves out need the action only.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass

from agentos_lambda.protocol.values import Kind


class UnknownOperation(LookupError):
    """No row of the table is about this operation: nobody could say who may call it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation demands."""

    scope: str | None = None
    """``resource:action``."""
    kind: Kind | None = None
    """Whose component is in its path."""
    action: str | None = None
    """What it does with that component."""
    lists: Kind | None = None
    """The kind that it lists: who holds the scope for some ids gets a list of these."""


def operation(method: str, path: str) -> Operation:
    """What a route demands. ``path`` is the route's, with ``{parameters}``. Raises ``UnknownOperation``."""
    scope = _scope(method, path)
    kind = next((kind for kind in Kind if path.startswith(f"/{kind.plural}/{{")), None)
    if kind is None:
        listed = (kind for kind in Kind if (method, path) == ("GET", f"/{kind.plural}"))
        return Operation(scope, lists=next(listed, None))
    of_the_component_itself = path == f"/{kind.plural}/{{{kind}_id}}"
    return Operation(scope, kind, scope.partition(":")[2] if scope and of_the_component_itself else "run")


def _scope(method: str, path: str) -> str | None:
    asked = f"{method} {path}"
    for row, scope in _ROWS.items():
        if fnmatch.fnmatchcase(asked, row):
            return scope
    raise UnknownOperation(f"{asked} is not in the table of scopes")


_OF_A_KIND = {
    "{kind}:run": ("POST /{kind}/*/runs", "POST /{kind}/*/runs/*/continue", "POST /{kind}/*/runs/*/cancel"),
    "{kind}:read": ("GET /{kind}", "GET /{kind}/*"),
    "{kind}:write": ("POST /{kind}", "PATCH /{kind}/*"),
    "{kind}:delete": ("DELETE /{kind}/*",),
}

_TABLE: Mapping[str, tuple[str, ...]] = {
    "config:read": ("GET /config", "GET /models"),
    **{
        scope.format(kind=kind.plural): tuple(row.format(kind=kind.plural) for row in rows)
        for kind in Kind
        for scope, rows in _OF_A_KIND.items()
    },
    "sessions:read": ("GET /sessions", "GET /sessions/*"),
    "sessions:write": ("POST /sessions", "POST /sessions/*/rename", "PATCH /sessions/*"),
    "sessions:delete": ("DELETE /sessions", "DELETE /sessions/*"),
    "memories:read": ("GET /memories", "GET /memories/*", "GET /memory_topics", "GET /user_memory_stats"),
    "memories:write": ("POST /memories", "PATCH /memories/*", "POST /optimize-memories"),
    "memories:delete": ("DELETE /memories", "DELETE /memories/*"),
    "learnings:read": ("GET /learnings", "GET /learnings/*"),
    "learnings:write": ("POST /learnings", "PATCH /learnings/*"),
    "learnings:delete": ("DELETE /learnings/*",),
    "knowledge:read": (
        "GET /knowledge/content",
        "GET /knowledge/content/*",
        "GET /knowledge/config",
        "POST /knowledge/search",
        "GET /knowledge/*/sources",
        "GET /knowledge/*/sources/*/files",
    ),
    "knowledge:write": (
        "POST /knowledge/content",
        "POST /knowledge/content/*/refresh",
        "PATCH /knowledge/content/*",
        "POST /knowledge/remote-content",
    ),
    "knowledge:delete": ("DELETE /knowledge/content", "DELETE /knowledge/content/*"),
    "metrics:read": ("GET /metrics", "GET /metrics/refresh/status"),
    "metrics:write": ("POST /metrics/refresh",),
    "evals:read": ("GET /eval-runs", "GET /eval-runs/*"),
    "evals:write": ("POST /eval-runs", "PATCH /eval-runs/*"),
    "evals:delete": ("DELETE /eval-runs",),
    "traces:read": ("GET /traces", "GET /traces/*", "GET /trace_session_stats", "POST /traces/search"),
    "service_accounts:write": ("POST /service-accounts",),
    "service_accounts:read": ("GET /service-accounts",),
    "service_accounts:delete": ("DELETE /service-accounts/*",),
    "schedules:read": ("GET /schedules", "GET /schedules/*", "GET /schedules/*/runs", "GET /schedules/*/runs/*"),
    "schedules:write": (
        "POST /schedules",
        "PATCH /schedules/*",
        "POST /schedules/*/enable",
        "POST /schedules/*/disable",
        "POST /schedules/*/trigger",
    ),
    "schedules:delete": ("DELETE /schedules/*",),
    "approvals:read": ("GET /approvals", "GET /approvals/count", "GET /approvals/*", "GET /approvals/*/status"),
    "approvals:write": ("POST /approvals/*/resolve",),
    "approvals:delete": ("DELETE /approvals/*",),
    "config:write": ("POST /databases/all/migrate", "POST /databases/*/migrate"),
    "filesystem:read": ("GET /filesystem/*",),
    "registry:read": ("GET /registry",),
    "components:delete": ("DELETE /components/*", "POST /components/*/restore", "DELETE /components/*/configs/*"),
    "components:read": (
        "GET /components",
        "GET /components/*",
        "GET /components/*/configs",
        "GET /components/*/configs/*",
        "GET /components/*/configs/current",
    ),
    "components:write": (
        "POST /components",
        "PATCH /components/*",
        "POST /components/*/configs",
        "PATCH /components/*/configs/*",
        "POST /components/*/configs/*/set-current",
    ),
}
"""By scope, the operations of AgentOS that need it: its own default table. A star stands for any text, with slashes."""

_OF_COMPONENTS = ("runs/*/resume", "sessions/*/fork", "sessions/*/compact")
"""Below a component, what AgentOS's table leaves out: only the action on the component is checked."""

_OWN: Mapping[str, str] = {
    "GET /usage": "usage:read",
    "GET /queue/*": "config:read",
    "POST /queue/*": "config:write",
    "GET /users": "config:read",
    "GET /users/*": "config:read",
    "POST /users": "config:write",
    "PATCH /users/*": "config:write",
    "DELETE /users/*": "config:write",
}
"""Operations that AgentOS does not have, or leaves to whoever has any token."""

_ROWS: Mapping[str, str | None] = {
    **{f"POST /{kind.plural}/*/{rest}": None for kind in Kind for rest in _OF_COMPONENTS},
    **{row: scope for scope, rows in _TABLE.items() for row in rows},
    **_OWN,
}
"""Looked through from above, as AgentOS does."""
