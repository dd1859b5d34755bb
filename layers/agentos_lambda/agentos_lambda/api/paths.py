"""Paths as the app's own routes name them, and as its clients do."""

from starlette.types import Scope


def prefix(scope: Scope) -> str:
    """What stands before the app in the URL, such as ``/v1``: a deployed API's stage (ASGI's ``root_path``)."""
    before: str = scope.get("root_path", "")
    return before


def route_path(scope: Scope) -> str:
    """The path without its prefix."""
    path: str = scope["path"]
    before = prefix(scope)
    return path.removeprefix(before) if path.startswith(f"{before}/") else path
