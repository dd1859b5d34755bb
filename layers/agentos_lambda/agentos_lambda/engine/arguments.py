"""What a caller sent for a new run, as the arguments of agno's ``arun``."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from agno.media import Audio, File, Image, Video
from agno.utils.merge_dict import merge_dictionaries

from agentos_lambda.engine.isolation.inputs import as_data, as_text
from agentos_lambda.engine.output_schema import output_model
from agentos_lambda.protocol.values import Json, JsonObject, Kind
from agentos_lambda.runs.engine_ports import EngineRequest
from agentos_lambda.runs.model import Media, RunInput

_MEDIA: dict[str, tuple[str, type[Image | Audio | Video]]] = {
    "image": ("images", Image),
    "audio": ("audio", Audio),
    "video": ("videos", Video),
}


def run_arguments(request: EngineRequest, work: RunInput) -> dict[str, Any]:
    """The keyword arguments of ``arun`` for this request. Raises ValueError for values that agno cannot take."""
    is_workflow = request.kind is Kind.WORKFLOW
    # A run may change what it is given: all of it is a copy.
    arguments: dict[str, Any] = {
        "input": as_data(work.message) if is_workflow else as_text(work.message),
        "run_id": request.run_id,
        "session_id": request.session_id,
        "user_id": request.user_id,
        "stream": request.stream,
        "session_state": as_data(work.session_state),
        "dependencies": as_data(work.dependencies),
        "metadata": _metadata(request, as_data(work.metadata)),
        "add_dependencies_to_context": work.add_dependencies_to_context,
        "add_session_state_to_context": work.add_session_state_to_context,
    }
    if request.stream:
        arguments["stream_events"] = True
        if not is_workflow:
            arguments["yield_run_output"] = True
    if is_workflow:
        arguments["metadata"] = arguments["metadata"] or {}  # its events always have some (AgentOS 3.1)
        arguments["additional_data"] = as_data(work.additional_data)
    else:
        arguments["add_history_to_context"] = work.add_history_to_context
        arguments["knowledge_filters"] = _filters(deepcopy(work.knowledge_filters))
        if work.output_schema is not None:
            arguments["output_schema"] = output_model(deepcopy(work.output_schema))
    for medium in deepcopy(work.media):
        name, value = _medium(medium)
        arguments.setdefault(name, []).append(value)
    return {name: value for name, value in arguments.items() if value is not None}


def _metadata(request: EngineRequest, metadata: JsonObject | None) -> JsonObject | None:
    """As AgentOS does: a session's metadata are part of those of its runs, and the caller's come first.

    agno does so itself only where its database is not asynchronous.
    """
    session = deepcopy(request.session.fields.get("metadata")) if request.session is not None else None
    if not isinstance(session, dict):
        return metadata
    merge_dictionaries(session, metadata or {})
    return session


def _medium(medium: Media) -> tuple[str, Image | Audio | Video | File]:
    fields: dict[str, Any] = {
        "id": medium.id,
        "url": medium.url,
        "content": medium.content,
        "mime_type": medium.mime_type,
        "format": _format(medium),
        "metadata": medium.metadata,
        **(medium.details or {}),
    }
    if medium.kind == "file":
        return "files", File(**_given(fields), filename=medium.filename)
    name, media_class = _MEDIA[medium.kind]
    if medium.filename is not None:  # agno keeps a name for documents only
        fields["metadata"] = {"filename": medium.filename, **(medium.metadata or {})}
    return name, media_class(**_given(fields))


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _format(medium: Media) -> str | None:
    """As AgentOS derives it: the file name's extension, or the MIME type's second half."""
    if medium.filename and "." in medium.filename:
        return medium.filename.rsplit(".", 1)[1].lower()
    return medium.mime_type.rsplit("/", 1)[-1] if medium.mime_type else None


def _filters(filters: Json) -> Any:
    """Filter expressions (objects with an ``op``) as agno's own, plain filters as they are."""
    if filters is None:
        return None
    from agno.filters import from_dict  # noqa: PLC0415  needed by few runs

    if isinstance(filters, dict) and "op" in filters:
        return [from_dict(filters)]
    if isinstance(filters, list):
        return [from_dict(item) if isinstance(item, dict) and "op" in item else item for item in filters]
    return filters
