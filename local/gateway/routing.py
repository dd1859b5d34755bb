"""Which function answers a request: API Gateway's rules for a REST API's resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.template.rest_api import Route

_GREEDY = "{proxy+}"


@dataclass(frozen=True, slots=True)
class Match:
    """The resource that a path belongs to."""

    function: str
    resource: str
    path_parameters: Mapping[str, str] | None


class Router:
    """Routes with literal segments, and routes that end in ``{proxy+}``. The longest literal part wins."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: (_GREEDY in route.resource, -len(route.resource)))

    def match(self, method: str, path: str) -> Match | None:
        """The function for a request, or None if API Gateway answers itself. ``path`` is percent-encoded."""
        for route in self._routes:
            literal, greedy, _ = route.resource.partition(_GREEDY)
            if greedy and path.startswith(literal) and len(path) > len(literal):
                parameters = {"proxy": path.removeprefix(literal)}
            elif not greedy and (path.rstrip("/") or "/") == literal:
                parameters = None
            else:
                continue
            function = route.methods.get(method)
            return Match(function, route.resource, parameters) if function else None
        return None
