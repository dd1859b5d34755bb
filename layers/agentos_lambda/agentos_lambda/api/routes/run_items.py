"""Items of ``GET /{kind}/{id}/runs``: flat, every field present, dates in ISO 8601 (AgentOS 3.1, RunSchema)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from agentos_lambda.protocol.events import terminal_event
from agentos_lambda.protocol.values import Json, JsonObject, Kind
from agentos_lambda.runs.model import StoredRun

if TYPE_CHECKING:
    from agentos_lambda.api.answers import RunItem

_MEDIA = ("images", "videos", "audio", "files", "response_audio")
_REASONING = ("reasoning_content", "reasoning_steps", "reasoning_messages", "references", "citations")
_FORKS = (
    "forked_from_run_id",
    "forked_from_message_index",
    "forked_from_session_id",
    "regenerated_from",
    "last_checkpoint_at_message_index",
)
_OF_ALL = ("user_id", "cancellation_stage", "metrics", *_MEDIA, *_REASONING)
_OF_COMPONENTS = ("parent_run_id", "messages", "tools", "session_state", "followups", *_FORKS)
_FIELDS = {
    Kind.AGENT: (*_OF_ALL, *_OF_COMPONENTS, "metadata", "agent_id"),
    Kind.TEAM: (*_OF_ALL, *_OF_COMPONENTS, "team_id"),
    Kind.WORKFLOW: (
        *_OF_ALL,
        "workflow_id",
        "content_type",
        "step_results",
        "step_executor_runs",
        "step_requirements",
        "pause_kind",
        "paused_step_name",
        "paused_step_index",
    ),
}
_ABSENT: JsonObject = {
    "metrics": {},
    "reasoning_content": "",
    **{name: [] for name in ("reasoning_steps", "reasoning_messages", "references")},
    **{name: [] for name in ("images", "videos", "audio", "files")},
    "parent_run_id": "",
}
"""What AgentOS says of a field that a run does not have, where it is not null."""
_ABSENT_OF: dict[Kind, JsonObject] = {
    Kind.AGENT: {"user_id": ""},
    Kind.TEAM: {},
    Kind.WORKFLOW: {"user_id": "", "content_type": "", "step_results": [], "step_executor_runs": []},
}
_NULL_IF_EMPTY = {
    Kind.AGENT: ("messages", "tools"),
    Kind.TEAM: ("messages", "tools"),
    Kind.WORKFLOW: (),
}
_INPUT_MEDIA = {"images": "images", "videos": "videos", "audios": "audios", "files": "files"}


def run_item(stored: StoredRun) -> RunItem:
    """One run of the list."""
    run = stored.output.run
    item: RunItem = {
        "run_id": stored.run_id,
        "status": stored.status,
        "created_at": iso(run.get("created_at") or stored.accepted_at // 1000),
        "run_input": _input_text(run),
        "content": run.get("content", ""),
        "events": [] if stored.status.active else [_last_event(stored)],  # a member may have been left RUNNING
    }
    if stored.kind is not Kind.WORKFLOW:
        item["run_response_format"] = "text" if run.get("content_type", "str") == "str" else "json"
        given = run.get("input")
        item["input_media"] = {
            name: (given.get(field) if isinstance(given, dict) else None) or [] for name, field in _INPUT_MEDIA.items()
        }
    absent = {**_ABSENT, **_ABSENT_OF[stored.kind]}
    fields = {name: run.get(name, absent.get(name)) for name in _FIELDS[stored.kind]}
    for name in _NULL_IF_EMPTY[stored.kind]:
        fields[name] = fields[name] or None
    return cast("RunItem", {**fields, **item})


def _last_event(stored: StoredRun) -> JsonObject:
    """What the run ended or paused with, without its content, which the item has.

    Clients want one: ``agno-client`` of npm (2.x) takes a run with content and without events for one that failed, and
    hides its answer.
    """
    run = stored.output.run
    named = (f"{stored.kind}_id", f"{stored.kind}_name", "session_id")
    return {
        "created_at": run.get("created_at") or stored.accepted_at // 1000,
        "event": terminal_event(stored.kind, stored.status),
        "run_id": stored.run_id,
        **{name: run[name] for name in named if run.get(name) is not None},
    }


def _input_text(run: JsonObject) -> str:
    given = run.get("input")
    if isinstance(given, dict) and "input_content" in given:
        given = given["input_content"]
    if isinstance(given, list) and given and isinstance(given[0], dict) and given[0].get("role") == "user":
        given = given[0].get("content")  # as AgentOS does: a member that sees the history gets a list of messages
    return given if isinstance(given, str) else _compact(given)


def _compact(value: Json) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def iso(seconds: float) -> str:
    """A time since the epoch in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
