"""Makes the OpenAPI document from the routes: ``python -m agentos_lambda.api.openapi.build_document FILE``.

Paths, parameters and operations are those of the routes; bodies and answers, which the routes read and make themselves,
are told by ``document_operations``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from agentos_lambda import __version__
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.openapi.bodies import SCHEMAS as BODIES
from agentos_lambda.api.openapi.operations import OPERATIONS, error_responses
from agentos_lambda.api.openapi.schemas import SCHEMAS
from agentos_lambda.api.routes.components import component_router
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.api.routes.runs import run_router
from agentos_lambda.api.routes.runs_read import run_state_router
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.clock import SystemClock

_DESCRIPTION = """\
Run agents, teams and workflows; follow, cancel, resume and continue their runs.

A component that fails is a run with the status `ERROR`, answered with 200. Every other error is
`{"detail": "…", "error_code": "…"}`."""

_TAGS = {
    "Discovery": "What there is",
    "Agents": "A model with instructions and tools",
    "Teams": "Several agents, led by one model that hands out the tasks",
    "Workflows": "Steps in a given order: agents, teams, functions",
}

_PARAMETERS = {
    "run_id": ("run_id", "The id of a run"),
    "session_id": ("session_id", "The id of a session"),
    "status": ("status", "Only runs that have it"),
    "idempotency-key": ("Idempotency-Key", "The same key with the same request is the same run: 1 to 512 characters"),
    "last-event-id": ("Last-Event-ID", "The index of the last event that the client has; `last_event_index` wins"),
}


def build_document() -> JsonObject:
    """The document. Nothing behind the routes is needed to describe them."""
    nothing: Any = None
    app = FastAPI(title="AgentOS on Lambda", version=__version__, description=_DESCRIPTION)
    app.include_router(discovery_router(Services(Os(), nothing, SystemClock(), nothing)))
    for kind in Kind:
        app.include_router(component_router(kind, nothing))
        app.include_router(run_state_router(kind, nothing, nothing))
        app.include_router(run_router(kind, nothing, nothing, nothing, nothing))
    document = app.openapi()
    document["tags"] = [{"name": name, "description": told} for name, told in _TAGS.items()]
    document["paths"] = dict(_path(path, methods) for path, methods in document["paths"].items())
    document["components"] = {
        "schemas": {**SCHEMAS, **BODIES},
        "responses": error_responses(),
        "securitySchemes": {
            "SecurityKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "Where `auth_mode` of `GET /info` is `security_key`",
            }
        },
    }
    document["security"] = [{"SecurityKey": []}]
    return document


def _path(path: str, methods: JsonObject) -> tuple[str, JsonObject]:
    """A path under the name that AgentOS has for its parameter: ``agent_id``, ``team_id``, ``workflow_id``."""
    kind = next((kind for kind in Kind if path.startswith(f"/{kind.plural}")), None)
    described = {method: _operation(kind, operation) for method, operation in methods.items()}
    return path.replace("{component_id}", f"{{{kind}_id}}"), described


def _operation(kind: Kind | None, operation: JsonObject) -> JsonObject:
    known = OPERATIONS[operation["operationId"]]
    parameters = [_parameter(kind, parameter) for parameter in operation.get("parameters", ())]
    return {**operation, **({"parameters": parameters} if parameters else {}), **known}


def _parameter(kind: Kind | None, parameter: JsonObject) -> JsonObject:
    name, description = _PARAMETERS.get(parameter["name"], (f"{kind}_id", f"The id of one of the {kind}s"))
    choices = parameter["schema"].get("anyOf", [parameter["schema"]])
    schema = {key: value for key, value in choices[0].items() if key != "title"}
    return {**parameter, "name": name, "description": description, "schema": schema}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(build_document(), separators=(",", ":")))
