"""The schemas of what the API answers, for the API document. What agno itself makes is described where it is stable."""

from __future__ import annotations

from typing import Any

from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus

_TEXT: JsonObject = {"type": "string"}
_ANY_OBJECT: JsonObject = {"type": "object", "additionalProperties": True}
_OBJECTS: JsonObject = {"type": "array", "items": _ANY_OBJECT}
_COUNT: JsonObject = {"type": "integer", "minimum": 0}


def ref(name: str) -> JsonObject:
    """A reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(name: str) -> JsonObject:
    """A list of what one of the schemas describes."""
    return {"type": "array", "items": ref(name)}


def run_name(kind: Kind) -> str:
    """The name of the schema of this kind's runs."""
    return f"{kind.label}Run"


def _object(required: tuple[str, ...], /, **properties: JsonObject) -> JsonObject:
    return {"type": "object", "required": list(required), "properties": properties}


def _text(description: str, **more: Any) -> JsonObject:
    return {**_TEXT, "description": description, **more}


def _run(kind: Kind, **properties: JsonObject) -> JsonObject:
    described = _object(
        ("run_id", f"{kind}_id", "session_id", "status"),
        run_id=_TEXT,
        **{f"{kind}_id": _TEXT, f"{kind}_name": _TEXT},
        session_id=_TEXT,
        user_id=_TEXT,
        status=ref("RunStatus"),
        content={"description": "The answer: text, or an object; of a run that failed what went wrong"},
        content_type=_TEXT,
        created_at={"type": "integer", "description": "Seconds since 1970"},
        metadata=_ANY_OBJECT,
        metrics=_ANY_OBJECT,
        **properties,
    )
    told = "As agno tells it. Fields without a value are left out."
    return {**described, "description": told, "additionalProperties": True}


_OF_COMPONENTS: JsonObject = {
    "model": _TEXT,
    "model_provider": _TEXT,
    "session_state": _ANY_OBJECT,
    "messages": {**_OBJECTS, "description": "What went to and came from the model"},
    "tools": {**_OBJECTS, "description": "The tool calls; of a paused run those that wait for a decision"},
    "requirements": {**_OBJECTS, "description": "What a paused run waits for"},
    "input": _ANY_OBJECT,
}
_RUNS = {
    run_name(Kind.AGENT): _run(Kind.AGENT, **_OF_COMPONENTS),
    run_name(Kind.TEAM): _run(Kind.TEAM, **_OF_COMPONENTS, member_responses=_OBJECTS),
    run_name(Kind.WORKFLOW): _run(
        Kind.WORKFLOW,
        input={"description": "What the workflow was given: text, or an object"},
        step_results=_OBJECTS,
        step_executor_runs=_OBJECTS,
        step_requirements={**_OBJECTS, "description": "What a paused run waits for"},
    ),
}

_ERROR: JsonObject = {
    "detail": _text("What is wrong, in a sentence"),
    "error_code": _text("What is wrong, for a program", examples=["NOT_FOUND"]),
}

SCHEMAS: JsonObject = {
    "Error": _object(("detail", "error_code"), **_ERROR),
    "InvalidFields": _object(
        ("detail", "error_code", "errors"),
        **_ERROR,
        errors={"type": "array", "items": _object(("field", "message"), field=_TEXT, message=_TEXT)},
    ),
    "Home": _object(
        ("name", "version", "health", "info", "docs"), name=_TEXT, version=_TEXT, health=_TEXT, info=_TEXT, docs=_TEXT
    ),
    "Health": _object(
        ("status", "instantiated_at"),
        status={"type": "string", "const": "ok"},
        instantiated_at={"type": "string", "format": "date-time", "description": "When the process that answers began"},
    ),
    "Info": _object(
        ("os_id", "name", "os_version", "agno_version", "agent_count", "team_count", "workflow_count", "auth_mode"),
        os_id=_TEXT,
        name=_TEXT,
        os_version=_TEXT,
        agno_version=_TEXT,
        agent_count=_COUNT,
        team_count=_COUNT,
        workflow_count=_COUNT,
        mcp=_ANY_OBJECT,
        auth_mode={"type": "string", "enum": ["none", "security_key"]},
        user_isolation={"type": "boolean"},
        websocket_url={"type": ["string", "null"], "description": "Where workflows can be followed by WebSocket"},
    ),
    "Config": {
        **_object(
            ("os_id", "available_models", "chat", "agents", "teams", "workflows"),
            os_id=_TEXT,
            description=_TEXT,
            available_models=array_of("Model"),
            chat=_object(
                ("quick_prompts",),
                quick_prompts={
                    "type": "object",
                    "description": "By the id of a component, what may be asked of it",
                    "additionalProperties": {"type": "array", "items": _TEXT},
                },
            ),
            agents=_OBJECTS,
            teams=_OBJECTS,
            workflows=_OBJECTS,
        ),
        "additionalProperties": True,
    },
    "Model": _object(("id", "provider"), id=_TEXT, provider=_TEXT),
    **{
        kind.label: {
            **_object(("id", "name"), id=_TEXT, name=_TEXT, description=_TEXT, metadata=_ANY_OBJECT),
            "additionalProperties": True,
        }
        for kind in Kind
    },
    "RunStatus": {
        "type": "string",
        "enum": [status.value for status in RunStatus],
        "description": "COMPLETED, ERROR and CANCELLED are final; a PAUSED run may be continued or cancelled.",
    },
    **_RUNS,
    "RunItem": {
        **_object(
            ("run_id", "status", "created_at", "run_input"),
            run_id=_TEXT,
            status=ref("RunStatus"),
            created_at={"type": "string", "format": "date-time"},
            run_input=_TEXT,
            content={},
        ),
        "description": "A run in a list. Every field is there, null where it has no value.",
        "additionalProperties": True,
    },
    "QueuedRun": _object(("run_id", "session_id", "status"), run_id=_TEXT, session_id=_TEXT, status=ref("RunStatus")),
    "Cancellation": _object(
        ("run_id", "status", "cancel_requested"),
        run_id=_TEXT,
        status=ref("RunStatus"),
        cancel_requested={"type": "boolean", "description": "False if the run had ended before"},
    ),
}
