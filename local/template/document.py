"""What template.yaml says about functions, routes, tables, buckets and queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.settings import CannotStart, InvalidTemplate
from local.template.gateway_responses import GatewayResponse, Refusal, gateway_responses
from local.template.intrinsics import Intrinsics
from local.template.parse import parse
from local.template.queue_names import queue_names
from local.template.rest_api import Route, integration_timeouts, routes, streaming
from local.template.triggers import QueueTrigger, ScheduleTrigger, queue_triggers, schedule_triggers
from local.template.websocket_routes import INTEGRATION, ROUTE, websocket_routes

_FUNCTION = "AWS::Serverless::Function"
_API = "AWS::Serverless::Api"
_TABLE = "AWS::DynamoDB::Table"
_BUCKET = "AWS::S3::Bucket"
_QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A Lambda function."""

    name: str
    """Its logical id."""
    code: Path
    handler: str
    timeout_seconds: float
    memory: int
    """MiB."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """A SAM template, with its parameters and conditions resolved."""

    functions: Mapping[str, FunctionSpec]
    routes: tuple[Route, ...]
    binary_types: frozenset[str]
    """Media types whose bodies travel as base64."""
    stage_variables: Mapping[str, str]
    """What each request tells its function of the stage."""
    tables: Mapping[str, Mapping[str, Any]]
    """Table name -> properties of an ``AWS::DynamoDB::Table``."""
    buckets: tuple[str, ...]
    streaming: frozenset[str] = frozenset()
    """Logical ids of the functions whose integrations stream."""
    integration_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Logical id of a function -> seconds that API Gateway waits for its answer."""
    gateway_responses: Mapping[Refusal, GatewayResponse] = field(default_factory=dict)
    """What API Gateway answers itself."""
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
        """Read a SAM template. A parameter that is not given has its default.

        Raises ``InvalidTemplate``, ``UnsupportedIntrinsic``, and ``CannotStart`` for a value that it does not allow.
        """
        if not path.is_file():
            raise InvalidTemplate(f"{path}: no such template")
        document = parse(path.read_text())
        _check_allowed(document.get("Parameters", {}), parameters or {})
        resources = _Resources(document, parameters)
        api = resources.api(path)
        definition: Mapping[str, Any] = api.get("DefinitionBody", {})
        paths = definition.get("paths", {})
        functions = resources.functions(path.parent)
        events = {name: properties.get("Events", {}) for name, properties in resources.resolved(_FUNCTION).items()}
        queues = resources.resolved(_QUEUE)
        return cls(
            functions=functions,
            routes=tuple(routes(paths, resources.intrinsics, functions)),
            binary_types=frozenset(definition.get("x-amazon-apigateway-binary-media-types", ())),
            stage_variables=resources.intrinsics.resolve(api.get("Variables", {})),
            tables=resources.resolved(_TABLE),
            buckets=tuple(resources.buckets.values()),
            streaming=streaming(paths, resources.intrinsics),
            integration_timeouts=integration_timeouts(paths, resources.intrinsics),
            gateway_responses=gateway_responses(definition),
            queues=queues,
            queue_triggers=queue_triggers(events, queues),
            schedule_triggers=schedule_triggers(events),
            websocket_routes=websocket_routes(resources.resolved(ROUTE), resources.resolved(INTEGRATION), functions),
            runtime=resources.intrinsics.resolve(resources.defaults.get("Runtime", "")),
        )


class _Resources:
    """The resources of a template by their type."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str] | None) -> None:
        self._all: Mapping[str, Any] = document.get("Resources", {})
        self.defaults: Mapping[str, Any] = document.get("Globals", {}).get("Function", {})
        """What every function has."""
        self.buckets = {name: f"agentos-local-{name.lower()}" for name in self._of_type(_BUCKET)}
        """Logical id -> name."""
        names = {**self.buckets, **queue_names(self._of_type(_QUEUE))}
        self.intrinsics = Intrinsics(document, names, parameters)

    def resolved(self, kind: str) -> dict[str, Any]:
        """Logical id -> properties, for the resources of a type."""
        return {name: self.intrinsics.resolve(properties) for name, properties in self._of_type(kind).items()}

    def functions(self, root: Path) -> dict[str, FunctionSpec]:
        """Logical id -> function. ``root`` is the folder that the template's paths start at."""
        return {
            name: _function(name, self.intrinsics.resolve(_merge(self.defaults, properties)), root)
            for name, properties in self._of_type(_FUNCTION).items()
        }

    def api(self, path: Path) -> Mapping[str, Any]:
        """The properties of the one REST API, unresolved. Raises ``InvalidTemplate``."""
        apis = self._of_type(_API)
        if len(apis) != 1:
            raise InvalidTemplate(f"{path}: one {_API} is expected, {len(apis)} found")
        [properties] = apis.values()
        return properties

    def _of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        return {name: spec.get("Properties", {}) for name, spec in self._all.items() if spec["Type"] == kind}


def _check_allowed(declared: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        allowed = declared.get(name, {}).get("AllowedValues", [value])
        if value not in allowed:
            raise CannotStart(f"{name}={value}: it is one of {', '.join(allowed)}")


def _merge(defaults: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties over the template's globals. Environment variables are merged one by one."""
    merged = {**defaults, **properties}
    variables = [spec.get("Environment", {}).get("Variables", {}) for spec in (defaults, properties)]
    merged["Environment"] = {"Variables": {**variables[0], **variables[1]}}
    return merged


def _function(name: str, properties: Mapping[str, Any], root: Path) -> FunctionSpec:
    return FunctionSpec(
        name=name,
        code=root / properties["CodeUri"],
        handler=properties["Handler"],
        timeout_seconds=float(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        variables={key: str(value) for key, value in properties["Environment"]["Variables"].items()},
    )
