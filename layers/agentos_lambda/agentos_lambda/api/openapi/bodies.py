"""The request bodies of the API document, made of the forms that read them."""

from __future__ import annotations

from pydantic import AliasChoices, BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from agentos_lambda.api.requests.account_forms import NewAccountForm
from agentos_lambda.api.requests.continue_form import ContinueForm
from agentos_lambda.api.requests.memory_forms import MemoryDeletionForm, MemoryForm, OptimizationForm
from agentos_lambda.api.requests.parse import CancelForm, ResumeForm
from agentos_lambda.api.requests.run_form import RunForm
from agentos_lambda.api.requests.session_forms import (
    DeletionForm,
    NewSessionForm,
    RenameForm,
    SessionChangeForm,
)
from agentos_lambda.protocol.values import JsonObject, Kind

_FORMS: dict[str, tuple[type[BaseModel], str, str, str]] = {
    RunForm.__name__: (RunForm, "RunRequest", "RunForm", "RunUpload"),
    ContinueForm.__name__: (ContinueForm, "Continuation", "ContinuationForm", "ContinuationForm"),
    ResumeForm.__name__: (ResumeForm, "Resumption", "Resumption", "Resumption"),
    CancelForm.__name__: (CancelForm, "CancelRequest", "CancelRequest", "CancelRequest"),
}
"""Each form, and what it is called as JSON, as an urlencoded form and as a multipart form."""

_JSON_FORMS: dict[str, tuple[type[BaseModel], str]] = {
    NewSessionForm.__name__: (NewSessionForm, "NewSession"),
    SessionChangeForm.__name__: (SessionChangeForm, "SessionChange"),
    RenameForm.__name__: (RenameForm, "SessionName"),
    DeletionForm.__name__: (DeletionForm, "SessionDeletion"),
    MemoryForm.__name__: (MemoryForm, "NewMemory"),
    OptimizationForm.__name__: (OptimizationForm, "Optimization"),
    MemoryDeletionForm.__name__: (MemoryDeletionForm, "MemoryDeletion"),
    NewAccountForm.__name__: (NewAccountForm, "NewAccount"),
}
"""Forms that come as JSON, and what they are called."""
_OPTIONAL = (ResumeForm.__name__, CancelForm.__name__, NewSessionForm.__name__)
"""Forms that may be left out."""

_EXAMPLES: JsonObject = {
    "create_agent_run": {"message": "add 2 and 3", "session_id": "first"},
    "create_team_run": {"message": "ask researcher: what is a serverless function?"},
    "create_workflow_run": {"input": {"subject": "ships"}, "user_id": "ada"},
    "continue_agent_run": {"tools": [{"tool_call_id": "call_1", "confirmed": True}]},
    "continue_team_run": {"requirements": [{"id": "a44ca864", "confirmation": True}]},
    "continue_workflow_run": {"step_requirements": [{"step_id": "206c1878", "confirmed": True}]},
    **{f"resume_{kind}_run_stream": {"last_event_index": 11} for kind in Kind},
    **{f"cancel_{kind}_run": {"user_id": "ada"} for kind in Kind},
    "create_session": {"session_name": "Ships", "session_state": {"harbour": "Genoa"}},
    "update_session": {"session_state": {"harbour": "Lisbon"}},
    "rename_session": {"session_name": "Harbours"},
    "create_memory": {"memory": "likes tea", "user_id": "ada", "topics": ["drinks"]},
    "update_memory": {"memory": "likes coffee", "user_id": "ada"},
    "optimize_memories": {"user_id": "ada", "apply": False},
    "delete_memories": {"memory_ids": ["first"], "user_id": "ada"},
    "create_service_account": {"name": "ci-bot", "scopes": [{"scope": "agents:run"}], "expires_in_days": 30},
    "delete_sessions": {"session_ids": ["first"], "session_types": ["agent"]},
}
_FILE = {"type": "string", "format": "binary"}
_FILES = {"type": "array", "items": _FILE, "description": "Images, audio, videos and documents"}
_JSON_TEXT = {"type": "string", "contentMediaType": "application/json"}


class Plain(GenerateJsonSchema):
    """Schemas without titles that only repeat a name. What may be left out is left out: it is not null."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def request_body(form: str, operation_id: str, kind: Kind | None) -> JsonObject:
    """The body of an operation that reads this form. Workflows take no files."""
    required, example = form not in _OPTIONAL, _EXAMPLES[operation_id]
    if form in _JSON_FORMS:
        schema = {"$ref": f"#/components/schemas/{_JSON_FORMS[form][1]}"}
        return {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    as_json, urlencoded, multipart = ({"$ref": f"#/components/schemas/{name}"} for name in _FORMS[form][1:])
    content = {
        "application/json": {"schema": as_json, "example": example},
        "multipart/form-data": {"schema": urlencoded if kind is Kind.WORKFLOW else multipart},
        "application/x-www-form-urlencoded": {"schema": urlencoded},
    }
    return {"required": required, "content": content}


def body_schemas() -> JsonObject:
    """The schemas that the bodies refer to."""
    schemas: JsonObject = {}
    for form, as_json, urlencoded, multipart in _FORMS.values():
        schemas[as_json] = _schema(form)
        fields = {name: _as_text(field) for name, field in schemas[as_json]["properties"].items()}
        schemas.setdefault(urlencoded, {**schemas[as_json], "properties": fields})
        schemas.setdefault(multipart, {**schemas[as_json], "properties": {**fields, "files": _FILES}})
    for json_form, name in _JSON_FORMS.values():
        schema = _schema(json_form)
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    return schemas


def _schema(form: type[BaseModel]) -> JsonObject:
    """The form as JSON, its fields under all their names."""
    schema = form.model_json_schema(by_alias=False, schema_generator=Plain, ref_template="#/components/schemas/{model}")
    for name, field in form.model_fields.items():
        if isinstance(field.validation_alias, AliasChoices):
            names = [str(choice) for choice in field.validation_alias.choices]
            further = {**schema["properties"][name], "description": f"Another name of `{name}`"}
            schema["properties"] |= dict.fromkeys(names[1:], further)
            if field.is_required():
                schema["anyOf"] = [{"required": [each]} for each in names]
    return {key: schema[key] for key in schema if key not in ("title", "required")}


def _as_text(field: JsonObject) -> JsonObject:
    """The field in a form, where objects and arrays are texts."""
    if field.get("type") in ("string", "boolean", "integer"):
        return field
    text = {"type": "string"} if {"type": "string"} in field.get("anyOf", ()) else _JSON_TEXT
    return {**text, **{key: field[key] for key in field if key == "description"}}
