"""What template.yaml says about functions, routes, tables, buckets and queues."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.settings import InvalidTemplate
from local.template.gateway_responses import GatewayResponse, Refusal, gateway_responses
from local.template.intrinsics import Intrinsics
from local.template.queue_names import queue_names
from local.template.triggers import QueueTrigger, ScheduleTrigger, queue_triggers, schedule_triggers
from local.template.websocket_routes import INTEGRATION, ROUTE, websocket_routes

_TARGET = re.compile(r"functions/(\w+)")
_LONGEST_BUFFERED = 29_000
"""Milliseconds that a REST API waits where nothing else is said."""
_Value = TypeVar("_Value")
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A Lambda function."""

    name: str
    """Its logical id."""
    code: Path
    handler: str
    timeout: float
    """Seconds."""
    memory: int
    """MiB."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A resource of the REST API and the functions behind its methods."""

    resource: str
    """The path with its parameter, such as ``/agents/{proxy+}``."""
    methods: Mapping[str, str]
    """Method in capitals -> logical id of a function."""


@dataclass(frozen=True, slots=True)
class Template:
    functions: Mapping[str, FunctionSpec]
    routes: tuple[Route, ...]
    binary_types: frozenset[str]
    """Media types whose bodies travel as base64."""
    tables: Mapping[str, Mapping[str, Any]]
    """Table name -> properties of an ``AWS::DynamoDB::Table``."""
    buckets: tuple[str, ...]
    streaming: frozenset[str] = frozenset()
    """Logical ids of the functions whose integrations stream."""
    integration_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Logical id of a function -> seconds that API Gateway waits for its answer."""
    gateway_responses: Mapping[Refusal, GatewayResponse] = field(default_factory=dict)
    """What API Gateway answers by itself."""
    queues: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Queue name -> properties of an ``AWS::SQS::Queue``."""
    queue_triggers: tuple[QueueTrigger, ...] = ()
    schedule_triggers: tuple[ScheduleTrigger, ...] = ()
    websocket_routes: Mapping[str, str] = field(default_factory=dict)
    """Route key of the WebSocket API -> logical id of a function."""
    runtime: str = ""
    """What the functions run on, such as ``python3.13``."""

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str] | None = None) -> Template:
        """Read a SAM template, with its parameters' defaults where none is given.

        Raises ``InvalidTemplate``, ``UnsupportedIntrinsic``.
        """
        if not path.is_file():
            raise InvalidTemplate(f"{path}: no such template")
        document = yaml_parse(path.read_text())
        resources: Mapping[str, Any] = document.get("Resources", {})

        def of_type(kind: str) -> dict[str, Mapping[str, Any]]:
            return {name: spec.get("Properties", {}) for name, spec in resources.items() if spec["Type"] == kind}

        tables = of_type("AWS::DynamoDB::Table")
        buckets = {name: f"agentos-local-{name.lower()}" for name in of_type("AWS::S3::Bucket")}
        queues = of_type("AWS::SQS::Queue")
        intrinsics = Intrinsics(document, {**buckets, **queue_names(queues)}, parameters)
        defaults = document.get("Globals", {}).get("Function", {})
        functions = {
            name: _function(name, _merge(defaults, properties), intrinsics, path.parent)
            for name, properties in of_type("AWS::Serverless::Function").items()
        }
        events = {
            name: intrinsics.resolve(properties.get("Events", {}))
            for name, properties in of_type("AWS::Serverless::Function").items()
        }
        definition = _definition(of_type("AWS::Serverless::Api"), path)
        return cls(
            functions=functions,
            routes=tuple(_routes(definition.get("paths", {}), intrinsics, functions)),
            binary_types=frozenset(definition.get("x-amazon-apigateway-binary-media-types", ())),
            tables={name: intrinsics.resolve(properties) for name, properties in tables.items()},
            buckets=tuple(buckets.values()),
            streaming=_streaming(definition.get("paths", {}), intrinsics),
            integration_timeouts=_of_integrations(definition.get("paths", {}), intrinsics, _seconds),
            gateway_responses=gateway_responses(definition),
            queues={name: intrinsics.resolve(properties) for name, properties in queues.items()},
            queue_triggers=queue_triggers(events, queues),
            schedule_triggers=schedule_triggers(events),
            websocket_routes=websocket_routes(
                {name: intrinsics.resolve(properties) for name, properties in of_type(ROUTE).items()},
                {name: intrinsics.resolve(properties) for name, properties in of_type(INTEGRATION).items()},
                functions,
            ),
            runtime=intrinsics.resolve(defaults.get("Runtime", "")),
        )


def _merge(defaults: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties over the template's globals; of the environment variables both count."""
    merged = {**defaults, **properties}
    variables = [spec.get("Environment", {}).get("Variables", {}) for spec in (defaults, properties)]
    merged["Environment"] = {"Variables": {**variables[0], **variables[1]}}
    return merged


def _function(name: str, properties: Mapping[str, Any], intrinsics: Intrinsics, root: Path) -> FunctionSpec:
    resolved = intrinsics.resolve(properties)
    return FunctionSpec(
        name=name,
        code=root / resolved["CodeUri"],
        handler=resolved["Handler"],
        timeout=float(resolved.get("Timeout", 3)),
        memory=int(resolved.get("MemorySize", 128)),
        variables={key: str(value) for key, value in resolved["Environment"]["Variables"].items()},
    )


def _definition(apis: Mapping[str, Mapping[str, Any]], path: Path) -> Mapping[str, Any]:
    if len(apis) != 1:
        raise InvalidTemplate(f"{path}: one AWS::Serverless::Api is expected, {len(apis)} found")
    [properties] = apis.values()
    definition: Mapping[str, Any] = properties.get("DefinitionBody", {})
    return definition


def _routes(paths: Mapping[str, Any], intrinsics: Intrinsics, functions: Mapping[str, Any]) -> list[Route]:
    routes = []
    for resource, item in paths.items():
        methods = {}
        for method, operation in item.items():
            if method not in _METHODS:
                continue
            uri = intrinsics.resolve(operation["x-amazon-apigateway-integration"])["uri"]
            target = _TARGET.search(uri)
            if target is None or target[1] not in functions:
                raise InvalidTemplate(f"{method.upper()} {resource}: {uri} is no function of the template")
            methods[method.upper()] = target[1]
        routes.append(Route(resource, methods))
    return routes


def _streaming(paths: Mapping[str, Any], intrinsics: Intrinsics) -> frozenset[str]:
    """The functions that are invoked for a stream."""
    streams = _of_integrations(paths, intrinsics, lambda each: each.get("responseTransferMode") == "STREAM")
    return frozenset(function for function, stream in streams.items() if stream)


def _seconds(integration: Mapping[str, Any]) -> float:
    return float(integration.get("timeoutInMillis", _LONGEST_BUFFERED)) / 1000


def _of_integrations(
    paths: Mapping[str, Any], intrinsics: Intrinsics, read: Callable[[Mapping[str, Any]], _Value]
) -> dict[str, _Value]:
    """Logical id of a function -> what ``read`` finds at its integrations.

    Raises ``InvalidTemplate`` where they differ: nothing tells a function how it was invoked.
    """
    found: dict[str, _Value] = {}
    for item in paths.values():
        for method in _METHODS & item.keys():
            integration = intrinsics.resolve(item[method]["x-amazon-apigateway-integration"])
            function = _TARGET.findall(integration["uri"])[0]
            value = read(integration)
            if found.setdefault(function, value) != value:
                raise InvalidTemplate(f"the routes to {function} have integrations that differ")
    return found
