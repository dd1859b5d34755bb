"""What each operation of the API document takes and answers, by its operation id."""

from __future__ import annotations

from agentos_lambda.api.errors import RETRY_AFTER
from agentos_lambda.api.openapi.bodies import continue_body, resume_body, run_body
from agentos_lambda.api.openapi.schemas import array_of, ref, run_name
from agentos_lambda.protocol.values import Json, JsonObject, Kind

EVENTS = """event: RunStarted
id: 0
data: {"event":"RunStarted","agent_id":"assistant","run_id":"1cb9","session_id":"first","event_index":0}

event: RunContent
id: 1
data: {"event":"RunContent","agent_id":"assistant","run_id":"1cb9","content":"Hello","event_index":1}

event: RunCompleted
id: 2
data: {"event":"RunCompleted","agent_id":"assistant","run_id":"1cb9","content":"Hello","event_index":2}

"""

_ERRORS = {
    400: ("BadRequest", "BAD_REQUEST", "The body is not valid JSON"),
    401: ("Unauthorized", "UNAUTHORIZED", "Authorization header required"),
    404: ("NotFound", "NOT_FOUND", "Run not found"),
    409: ("Conflict", "CONFLICT", "Run is not paused"),
    413: ("PayloadTooLarge", "PAYLOAD_TOO_LARGE", "Request body too large: at most 6 MB, base64 included"),
    422: ("UnprocessableFields", "VALIDATION_ERROR", "message: Field required"),
    429: ("TooManyRequests", "TOO_MANY_REQUESTS", "Too Many Requests"),
    500: ("InternalError", "INTERNAL_ERROR", "Internal server error"),
    503: ("ServiceUnavailable", "SERVICE_UNAVAILABLE", "The service is temporarily unavailable"),
}
_WITH_RETRY = (429, 503)


def error_responses() -> JsonObject:
    """The answers that are errors, by name."""
    return {name: _error(status, code, detail) for status, (name, code, detail) in _ERRORS.items()}


def _error(status: int, code: str, detail: str) -> JsonObject:
    example: JsonObject = {"detail": detail, "error_code": code}
    schema = "Error"
    if code == "VALIDATION_ERROR":
        schema, example = "InvalidFields", {**example, "errors": [{"field": "message", "message": "Field required"}]}
    headers = {"Retry-After": {"schema": {"type": "integer"}, "example": int(RETRY_AFTER), "description": "Seconds"}}
    return {
        "description": code,
        "content": {"application/json": {"schema": ref(schema), "example": example}},
        **({"headers": headers} if status in _WITH_RETRY else {}),
    }


def _answers(status_200: JsonObject, *errors: int, **more: JsonObject) -> JsonObject:
    failures = {str(status): {"$ref": f"#/components/responses/{_ERRORS[status][0]}"} for status in sorted(errors)}
    return {"responses": {"200": status_200, **{name.lstrip("_"): answer for name, answer in more.items()}, **failures}}


def _json(description: str, schema: Json) -> JsonObject:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _events(description: str) -> JsonObject:
    return {
        "description": description,
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}},
    }


def _run_or_events(kind: Kind) -> JsonObject:
    run = _json("The run when it has ended or paused; with `stream` its events", ref(run_name(kind)))
    return {**run, "content": {**run["content"], **_events("")["content"]}}


_QUEUED = _json("With `background`: accepted, a worker executes it", ref("QueuedRun"))


def _of_kind(kind: Kind) -> JsonObject:
    one, many, run = kind.value, kind.plural, ref(run_name(kind))
    return {
        f"get_{many}": _answers(_json(f"All {many}", array_of(kind.label)), 401, 503),
        f"get_{one}": _answers(_json(f"The {one}", ref(kind.label)), 401, 404, 503),
        f"list_{one}_runs": _answers(_json("Oldest first", array_of("RunItem")), 401, 404, 422, 500, 503),
        f"create_{one}_run": {
            "requestBody": run_body(kind),
            **_answers(_run_or_events(kind), 400, 401, 404, 409, 413, 422, 429, 500, 503, _202=_QUEUED),
        },
        f"get_{one}_run": _answers(_json("The run", run), 401, 404, 422, 500, 503),
        f"cancel_{one}_run": _answers(_json("What has become of it", ref("Cancellation")), 401, 404, 500, 503),
        f"resume_{one}_run_stream": {
            "requestBody": resume_body(),
            **_answers(_events("What was missed, then what happens"), 400, 401, 404, 422, 500, 503),
        },
        f"continue_{one}_run": {
            "requestBody": continue_body(kind),
            **_answers(_run_or_events(kind), 400, 401, 404, 409, 413, 422, 429, 500, 503, _202=_QUEUED),
        },
    }


OPERATIONS: JsonObject = {
    "get_home": {**_answers(_json("Where things are", ref("Home"))), "security": []},
    "health_check": {**_answers(_json("It does", ref("Health"))), "security": []},
    "get_info": {**_answers(_json("About this OS", ref("Info")), 503), "security": []},
    "get_config": _answers(_json("All of it", ref("Config")), 401, 503),
    "get_models": _answers(_json("Each model once", array_of("Model")), 401, 503),
    **{name: operation for kind in Kind for name, operation in _of_kind(kind).items()},
}
