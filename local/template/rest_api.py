"""The routes of the template's REST API, and how their integrations answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from local.settings import InvalidTemplate
from local.template.intrinsics import Intrinsics

_TARGET = re.compile(r"functions/(\w+)")
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_INTEGRATION = "x-amazon-apigateway-integration"
_LONGEST_BUFFERED_MS = 29_000
"""How long a REST API waits for a function unless its integration says otherwise."""
_Value = TypeVar("_Value")

Paths = Mapping[str, Any]
"""The ``paths`` of an OpenAPI definition."""


@dataclass(frozen=True, slots=True)
class Route:
    """A resource of the REST API and the functions behind its methods."""

    resource: str
    """The path with its variable parts, such as ``/agents/{agent_id}/runs``."""
    methods: Mapping[str, str]
    """Method in capitals -> logical id of a function."""


def routes(paths: Paths, intrinsics: Intrinsics, functions: Collection[str]) -> list[Route]:
    """The routes of an API. Raises ``InvalidTemplate`` for one that API Gateway refuses, or that leads nowhere."""
    _check_variable_parts(paths)
    found = []
    for resource, item in paths.items():
        methods = {}
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            uri = intrinsics.resolve(operation[_INTEGRATION])["uri"]
            target = _TARGET.search(uri)
            if target is None or target[1] not in functions:
                raise InvalidTemplate(f"{method.upper()} {resource}: {uri} is no function of the template")
            methods[method.upper()] = target[1]
        found.append(Route(resource, methods))
    return found


def _check_variable_parts(resources: Collection[str]) -> None:
    """API Gateway allows one variable path part among siblings: it refuses to deploy ``{id}`` beside ``{proxy+}``."""
    variable: dict[str, str] = {}
    for resource in resources:
        parent, *parts = resource.split("/")
        for part in parts:
            if part.startswith("{") and variable.setdefault(parent, part) != part:
                raise InvalidTemplate(f"{parent or '/'} has two variable path parts: {variable[parent]} and {part}")
            parent = f"{parent}/{part}"


def streaming(paths: Paths, intrinsics: Intrinsics) -> frozenset[str]:
    """The functions whose integrations stream. Raises ``InvalidTemplate``."""
    streams = _of_integrations(paths, intrinsics, lambda each: each.get("responseTransferMode") == "STREAM")
    return frozenset(function for function, stream in streams.items() if stream)


def integration_timeouts(paths: Paths, intrinsics: Intrinsics) -> dict[str, float]:
    """Function -> seconds that its integrations wait. Raises ``InvalidTemplate``."""
    return _of_integrations(
        paths, intrinsics, lambda each: float(each.get("timeoutInMillis", _LONGEST_BUFFERED_MS)) / 1000
    )


def _of_integrations(
    paths: Paths, intrinsics: Intrinsics, read: Callable[[Mapping[str, Any]], _Value]
) -> dict[str, _Value]:
    """Logical id of a function -> what ``read`` finds in its integrations.

    Raises ``InvalidTemplate`` if they differ, because a function cannot tell how it was invoked.
    """
    found: dict[str, _Value] = {}
    for item in paths.values():
        for method in _METHODS & item.keys():
            integration = intrinsics.resolve(item[method][_INTEGRATION])
            function = _TARGET.findall(integration["uri"])[0]
            value = read(integration)
            if found.setdefault(function, value) != value:
                raise InvalidTemplate(f"the routes to {function} have integrations that differ")
    return found
