"""The request bodies, for the API document: one form for each content type."""

from __future__ import annotations

from agentos_lambda.api.openapi.schemas import ref
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.parse import ResumeForm
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.protocol.values import Json, JsonObject, Kind

_FILES: JsonObject = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "Images, audio, videos and documents",
}
_JSON_TEXT: JsonObject = {"type": "string", "contentMediaType": "application/json"}
_RUNS: dict[Kind, JsonObject] = {
    Kind.AGENT: {"message": "add 2 and 3", "session_id": "first"},
    Kind.TEAM: {"message": "ask researcher: what is a serverless function?"},
    Kind.WORKFLOW: {"input": {"subject": "ships"}, "user_id": "ada"},
}
_DECISIONS: dict[Kind, JsonObject] = {
    Kind.AGENT: {"tools": [{"tool_call_id": "call_1", "confirmed": True}]},
    Kind.TEAM: {"requirements": [{"id": "a44ca864-e2be-4629-a82f-f19d5c5c6fd8", "confirmation": True}]},
    Kind.WORKFLOW: {"step_requirements": [{"step_id": "206c1878-7589-48d4-a11e-f9e81e583d72", "confirmed": True}]},
}


def _plain(value: Json) -> Json:
    """A schema as pydantic makes it, without titles, and without null as a type: such a field may be left out."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _plain(item) for key, item in value.items() if isinstance(item, dict) or key not in ("title", "default")
    }
    choices = [choice for choice in kept.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


def _as_form(schema: JsonObject) -> JsonObject:
    """The same fields in a form, where objects and arrays are texts."""
    return {**schema, "properties": {name: _as_field(field) for name, field in schema["properties"].items()}}


def _as_field(field: JsonObject) -> JsonObject:
    if field.get("type") in ("string", "boolean", "integer"):
        return field
    text = {"type": "string"} if {"type": "string"} in field.get("anyOf", ()) else _JSON_TEXT
    return {**text, **{key: value for key, value in field.items() if key == "description"}}


def _run_schema() -> JsonObject:
    schema: JsonObject = _plain(RunForm.model_json_schema(by_alias=False))
    fields = {"message": schema["properties"]["message"], "input": {"description": "Another name of `message`"}}
    return {
        "type": "object",
        "description": "Fields that are not named here are ignored.",
        "anyOf": [{"required": ["message"]}, {"required": ["input"]}],
        "properties": {**fields, **schema["properties"]},
    }


def _continuation_schema() -> JsonObject:
    schema: JsonObject = _plain(ContinueForm.model_json_schema(by_alias=False))
    steps = {**schema["properties"]["requirements"], "description": "A workflow's requirements"}
    return {**schema, "properties": {**schema["properties"], "step_requirements": steps}}


_RUN, _CONTINUATION, _RESUMPTION = _run_schema(), _continuation_schema(), _plain(ResumeForm.model_json_schema())
_RUN_FORM = _as_form(_RUN)

SCHEMAS: JsonObject = {
    "RunRequest": _RUN,
    "RunForm": _RUN_FORM,
    "RunUpload": {**_RUN_FORM, "properties": {**_RUN_FORM["properties"], "files": _FILES}},
    "Continuation": _CONTINUATION,
    "ContinuationForm": _as_form(_CONTINUATION),
    "Resumption": _RESUMPTION,
}


def run_body(kind: Kind) -> JsonObject:
    """The body of a new run: files where the kind takes them."""
    upload = "RunForm" if kind is Kind.WORKFLOW else "RunUpload"
    return _body("RunRequest", "RunForm", upload, example=_RUNS[kind], required=True)


def continue_body(kind: Kind) -> JsonObject:
    """The body of a continuation."""
    return _body("Continuation", "ContinuationForm", "ContinuationForm", example=_DECISIONS[kind], required=True)


def resume_body() -> JsonObject:
    """The body of a resumption: it may be missing."""
    return _body("Resumption", "Resumption", "Resumption", example={"last_event_index": 11}, required=False)


def _body(as_json: str, urlencoded: str, multipart: str, *, example: JsonObject, required: bool) -> JsonObject:
    content = {
        "application/json": {"schema": ref(as_json), "example": example},
        "multipart/form-data": {"schema": ref(multipart)},
        "application/x-www-form-urlencoded": {"schema": ref(urlencoded)},
    }
    return {"required": required, "content": content}
