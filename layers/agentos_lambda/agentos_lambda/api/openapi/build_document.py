"""Makes the OpenAPI document from the routes: ``python -m agentos_lambda.api.openapi.build_document FILE``.

Paths, parameters and operations are those of the routes. Answers are the types that the routes return, bodies the forms
that they name in ``openapi_extra``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from starlette.responses import RedirectResponse, Response

from agentos_lambda import __version__
from agentos_lambda.api import account_answers, answers
from agentos_lambda.api.auth import OPEN_PATHS
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.errors import CODES, RETRY_AFTER_SECONDS
from agentos_lambda.api.openapi.bodies import Plain, body_schemas, request_body
from agentos_lambda.api.responses import Accepted, Created, Csv, NoContent
from agentos_lambda.api.routes.accounts import account_router
from agentos_lambda.api.routes.discovery import discovery_router
from agentos_lambda.api.routes.kinds import kind_router
from agentos_lambda.api.routes.memories import memory_router
from agentos_lambda.api.routes.optimize import optimize_router
from agentos_lambda.api.routes.session_media import session_media_router
from agentos_lambda.api.routes.session_runs import session_run_router
from agentos_lambda.api.routes.sessions import session_router
from agentos_lambda.api.routes.usage import usage_router
from agentos_lambda.api.sse import EventStream, frame
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.model import IndexedEvent

_DESCRIPTION = """\
Run agents, teams and workflows; follow, cancel, resume and continue their runs.

A component that fails is a run with the status `ERROR`, answered with 200. Every other error is
`{"detail": "…", "error_code": "…"}`."""

_TAGS = {
    "Sessions": "Conversations: what runs share, and what they said.",
    "Memory": "What is remembered of users.",
    "Service accounts": "Callers that are machines.",
    "Usage": "What runs have used.",
}

_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "The security key or a token, where `auth_mode` of `GET /info` is `security_key` or `jwt`",
}

_ERRORS = {
    400: ("body", "The body is not valid JSON"),
    401: ("closed", "Authorization header required"),
    403: ("closed", "Insufficient permissions. Required scope(s): agents:run"),
    404: ("missing", "Run not found"),
    409: ("taken", "Run is not paused"),
    413: ("body", "Request body too large: at most 6 MB, base64 included"),
    415: ("body", "Unsupported Content-Encoding: br. Send gzip or deflate"),
    422: ("fields", "message: Field required"),
    429: ("executes", "Too Many Requests"),
    500: ("runs", "Internal server error"),
    503: ("key", "The service is temporarily unavailable"),
}
"""By status, which operations may end in it (``_complete`` says what the words mean), and an example."""

_EVENTS = (
    {"event": "RunStarted", "agent_id": "assistant", "run_id": "1cb9", "session_id": "first"},
    {"event": "RunContent", "agent_id": "assistant", "run_id": "1cb9", "content": "Hello"},
    {"event": "RunCompleted", "agent_id": "assistant", "run_id": "1cb9", "content": "Hello"},
)


def build_document() -> JsonObject:
    """The document. Nothing behind the routes is needed to describe them."""
    kinds = {kind.plural.capitalize(): getattr(answers, kind.label).__doc__ for kind in Kind}
    told = {
        "Discovery": "What there is.",
        **kinds,
        **_TAGS,
    }
    tags = [{"name": name, "description": description} for name, description in told.items()]
    app = FastAPI(title="AgentOS on Lambda", version=__version__, description=_DESCRIPTION, openapi_tags=tags)
    nothing: Any = None
    app.include_router(discovery_router(Services(Os(), nothing, SystemClock(), nothing), nothing))
    for kind in Kind:
        app.include_router(kind_router(kind, nothing, nothing, nothing, nothing))
    app.include_router(session_router(nothing, nothing))
    app.include_router(session_run_router(nothing, nothing))
    app.include_router(session_media_router(nothing, nothing, nothing))
    app.include_router(memory_router(nothing, nothing))
    app.include_router(account_router(nothing))
    app.include_router(optimize_router(nothing, nothing, nothing))
    app.include_router(usage_router(nothing))
    originals = (context.original_route for context in iter_route_contexts(app.routes))
    routes = {route.operation_id: route for route in originals if isinstance(route, APIRoute)}
    document, schemas = app.openapi(), body_schemas()
    for methods in document["paths"].values():
        for operation in methods.values():
            _complete(operation, routes[operation["operationId"]], schemas)
    responses = {CODES[status]: _error(status, schemas) for status in _ERRORS}
    document["components"] = {"responses": responses, "schemas": schemas, "securitySchemes": {"SecurityKey": _SECURITY}}
    return {**document, "security": [{"SecurityKey": []}]}


def _complete(operation: JsonObject, route: APIRoute, schemas: JsonObject) -> None:
    """Add what FastAPI does not see: bodies, answers, errors."""
    kind = next((kind for kind in Kind if route.path.startswith(f"/{kind.plural}")), None)
    for parameter in operation.get("parameters", ()):
        [schema, *_null] = parameter["schema"].get("anyOf", [parameter["schema"]])
        parameter["schema"] = {key: schema[key] for key in schema if key not in ("title", "description")}
    if form := operation.pop("x-form", None):
        operation["requestBody"] = request_body(form, str(route.operation_id), kind)
    operation["responses"] = dict(_answers(route, kind, schemas))
    traits = {
        "body": "requestBody" in operation,
        "closed": route.path not in OPEN_PATHS,
        "missing": "{" in route.path or any(each["name"] == "db_id" for each in operation.get("parameters", ())),
        "taken": "202" in operation["responses"] or "201" in operation["responses"],
        "executes": "202" in operation["responses"],
        "fields": form or any(parameter["in"] == "query" for parameter in operation.get("parameters", ())),
        "key": route.path not in ("/", "/health"),
        "runs": "/runs" in route.path,
    }
    errors = (status for status, (trait, _) in _ERRORS.items() if traits[trait])
    operation["responses"] |= {str(status): {"$ref": f"#/components/responses/{CODES[status]}"} for status in errors}
    if not traits["closed"]:
        operation["security"] = []


def _answers(route: APIRoute, kind: Kind | None, schemas: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The route's answers, by status. Components and runs are those of the kind."""
    own = {"ComponentEntry": getattr(answers, kind.label), "Run": getattr(answers, f"{kind.label}Run")} if kind else {}
    words = SimpleNamespace(**{**vars(answers), **own})
    returned = get_type_hints(route.endpoint, localns={"answers": words, "account_answers": account_answers})["return"]
    if returned is NoContent:
        yield "204", {"description": route.response_description}
        return
    content: JsonObject = {}
    status = "201" if get_origin(returned) is Created else "200"
    yield status, {"description": route.response_description, "content": content}
    for answer in get_args(returned) if get_origin(returned) is UnionType else (returned,):
        if answer is Response:
            content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
            yield "307", {"description": "With `redirect`: where it is for five minutes"}
            continue
        if answer is RedirectResponse:
            yield "307", {"description": "To a browser, which asks for HTML: where the page is"}
            continue
        if answer is Csv:
            content["text/csv"] = {"schema": {"type": "string"}, "example": "day,account,runs\r\n"}
            continue
        if answer is EventStream:
            example = "".join(frame(IndexedEvent(index, event)) for index, event in enumerate(_EVENTS))
            content["text/event-stream"] = {"schema": {"type": "string"}, "example": example}
            continue
        as_json = {"application/json": {"schema": _schema(get_args(answer)[0], schemas)}}
        if get_origin(answer) is Accepted:
            yield "202", {"description": "With `background`: accepted, a worker executes it", "content": as_json}
        else:
            content |= as_json


def _schema(described: Any, schemas: JsonObject) -> JsonObject:
    """The schema of a type; those that it refers to are added to ``schemas``."""
    adapters: Any = [("", "serialization", TypeAdapter(described))]
    template = "#/components/schemas/{model}"
    told, further = TypeAdapter.json_schemas(adapters, schema_generator=Plain, ref_template=template)
    for name, schema in further.get("$defs", {}).items():
        schemas[name] = {key: schema[key] for key in schema if key != "title"}
    return told["", "serialization"]


def _error(status: int, schemas: JsonObject) -> JsonObject:
    fields = {"errors": [{"field": "message", "message": "Field required"}]} if status == 422 else {}  # noqa: PLR2004
    example = {"detail": _ERRORS[status][1], "error_code": CODES[status], **fields}
    schema = _schema(answers.InvalidFields if fields else answers.Error, schemas)
    described = {"description": CODES[status], "content": {"application/json": {"schema": schema, "example": example}}}
    retry = {"schema": {"type": "integer"}, "example": RETRY_AFTER_SECONDS, "description": "Seconds"}
    return {**described, "headers": {"Retry-After": retry}} if status in (429, 503) else described


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(build_document(), separators=(",", ":")))
