"""Paths as the app's own routes name them."""

from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path without what stands before the app in the URL, such as ``/v1``: a deployed API's stage (ASGI's
    ``root_path``)."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
