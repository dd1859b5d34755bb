"""Which function answers a request: API Gateway's rules for a REST API's resources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.template.rest_api import Route

_VARIABLE = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """The resource that a path belongs to."""

    function: str
    resource: str
    path_parameters: Mapping[str, str] | None


class Router:
    """Part by part, a literal wins over a variable such as ``{id}``, and that over ``{proxy+}``."""

    def __init__(self, routes: Iterable[Route]) -> None:
        by_rank = sorted(routes, key=lambda route: [_rank(part) for part in route.resource.split("/")])
        self._routes = [(route, _pattern(route.resource)) for route in by_rank]

    def match(self, method: str, path: str) -> Match | None:
        """The function for a request, or None if API Gateway answers itself. ``path`` is percent-encoded."""
        for route, pattern in self._routes:
            if (found := pattern.fullmatch(path)) is not None:
                function = route.methods.get(method)
                return Match(function, route.resource, found.groupdict() or None) if function else None
        return None


def _rank(part: str) -> int:
    variable = _VARIABLE.fullmatch(part)
    return 0 if variable is None else 2 if variable[2] else 1


def _pattern(resource: str) -> re.Pattern[str]:
    """A slash at the end of a path means nothing, except to ``{proxy+}``, which takes all."""
    parts = [_part_pattern(part) for part in resource.rstrip("/").split("/")]
    return re.compile("/".join(parts) + "/*")


def _part_pattern(part: str) -> str:
    variable = _VARIABLE.fullmatch(part)
    if variable is None:
        return re.escape(part)
    return f"(?P<{variable[1]}>{'.+' if variable[2] else '[^/]+'})"
