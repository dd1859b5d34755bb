"""What the server tells the app of a request in the ASGI scope."""

from starlette.types import Scope

DEADLINE_KEY = "agentos.deadline_ms"
"""A key of ours: when a run has to end, in milliseconds since the epoch. Not set where it may take any time."""


def prefix(scope: Scope) -> str:
    """What stands before the app in the URL, such as ``/v1``: a deployed API's stage (ASGI's ``root_path``)."""
    before: str = scope.get("root_path", "")
    return before


def route_path(scope: Scope) -> str:
    """The path without its prefix, as the app's own routes name it."""
    path: str = scope["path"]
    before = prefix(scope)
    return path.removeprefix(before) if path.startswith(f"{before}/") else path


def deadline_of(scope: Scope) -> int | None:
    """When a run in this request has to end."""
    deadline_ms: int | None = scope.get(DEADLINE_KEY)
    return deadline_ms
