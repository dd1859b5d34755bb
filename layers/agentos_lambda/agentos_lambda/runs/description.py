"""A run as it is shown to a caller."""

from __future__ import annotations

from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.model import RunOutput, RunRecord


def describe(record: RunRecord, name: str) -> JsonObject:
    """What can be shown of a run without an output: what its record says. ``name`` is the component's."""
    shown = {
        "run_id": record.run_id,
        f"{record.kind}_id": record.component_id,
        f"{record.kind}_name": name,
        "session_id": record.session_id,
        "user_id": record.user_id,
        "created_at": record.accepted_at // 1000,
        "status": record.shown_status.value,
        "content": record.error,
    }
    return {name: value for name, value in shown.items() if value is not None}


def show(record: RunRecord, name: str, output: RunOutput | None) -> JsonObject:
    """The run in the engine's form, with its members. The status is the record's, whatever the output says."""
    if output is None:
        return describe(record, name)
    shown = {**output.run, "status": record.shown_status.value}
    if output.members:
        shown["member_responses"] = list(output.members)
    return shown
