"""Sessions as AgentOS 3.1 shows them: an item of a list, and three shapes of a single one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, cast

from agentos_lambda.api.routes.run_items import iso
from agentos_lambda.protocol.values import Json, JsonObject, Kind
from agentos_lambda.runs.model import Session, StoredRun
from agentos_lambda.runs.session_fields import EMPTY_STATE, STATE, from_fields

if TYPE_CHECKING:
    from agentos_lambda.api.answers import SessionItem

_METRICS = "session_metrics"


def session_item(session: Session) -> SessionItem:
    """One session of a list, without what it does not have."""
    data, whole = _parts(session)
    metrics = (data or {}).get(_METRICS)
    item = {
        "session_id": session.session_id,
        "session_name": session.name or "",
        "session_state": (data or {}).get("session_state"),
        "created_at": iso(session.created_at // 1000),
        "updated_at": iso(session.updated_at // 1000),
        "session_type": session.kind,
        "user_id": session.user_id,
        f"{session.kind}_id": session.component_id,
        "session_summary": whole.get("summary"),
        "metrics": metrics,
        "total_tokens": metrics.get("total_tokens") if metrics else None,
        "metadata": whole.get("metadata", {} if session.kind is Kind.WORKFLOW else None),
    }
    return cast("SessionItem", without_nulls(item))


def session_detail(session: Session, kind: Kind) -> JsonObject:
    """A session with its runs, in the shape of a kind, which need not be its own. Every field is there."""
    data, whole = _parts(session)
    component = session.component_id if session.kind is kind else None
    times = {"created_at": iso(session.created_at // 1000), "updated_at": iso(session.updated_at // 1000)}
    shared = {
        "user_id": session.user_id,
        "session_id": session.session_id,
        "session_name": session.name or "",
        "session_state": (data or {}).get("session_state"),
        "metadata": whole.get("metadata"),
    }
    if kind is Kind.WORKFLOW:
        own: JsonObject = {
            "workflow_id": component,
            "workflow_name": whole.get("workflow_name"),
            "session_data": data or {},
            "workflow_data": whole.get("workflow_data", {}),
        }
        return {**shared, "metadata": whole.get("metadata", {}), **own, **times}
    metrics = data.get(_METRICS, {}) if data is not None else None
    own = {
        f"{kind}_id": component,
        "session_summary": whole.get("summary"),
        "total_tokens": metrics.get("total_tokens") if metrics is not None else None,
        f"{kind}_data": whole.get(f"{kind}_data"),
        "metrics": metrics,
        "chat_history": list(_chat(session.runs)),
    }
    if kind is Kind.AGENT:
        own["agent_session_id"] = session.session_id
    return {**shared, **own, **times}


def without_nulls(value: JsonObject) -> JsonObject:
    return {name: item for name, item in value.items() if item is not None}


def _parts(session: Session) -> tuple[JsonObject | None, JsonObject]:
    """The session data as the engine has it, None if there are none; and the fields beside them."""
    whole = from_fields(session.fields)
    data = whole.pop("session_data")
    has_state = any(name.startswith(STATE) or name == EMPTY_STATE for name in session.fields)
    if not has_state:
        del data["session_state"]
    return data or None, whole


def _chat(runs: Iterable[StoredRun]) -> Iterable[Json]:
    """What users and assistants said, without what a run was told of earlier ones."""
    for stored in runs:
        said = [run.get("messages") or () for run in (stored.output.introduction or {}, stored.output.run)]
        for message in chain.from_iterable(said):
            if message.get("role") not in ("system", "tool") and not message.get("from_history"):
                yield message
