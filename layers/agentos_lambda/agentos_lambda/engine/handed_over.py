"""What a run leaves that has stopped at a safe point."""

from __future__ import annotations

from dataclasses import replace

from agentos_lambda.engine.database import RunDatabase
from agentos_lambda.engine.isolation.checks import BlockedOutputs
from agentos_lambda.engine.outcome import delta_of
from agentos_lambda.engine.shown_runs import as_shown
from agentos_lambda.engine.slices.carry_on import leave, left, without_metrics
from agentos_lambda.engine.step_runs import with_true_statuses
from agentos_lambda.engine.stored_runs import slice_as_stored
from agentos_lambda.protocol.values import Event, JsonObject, Kind, RunStatus
from agentos_lambda.runs.engine_ports import EngineOutcome, EngineRequest

_STARTED = {Kind.AGENT: "RunStarted", Kind.TEAM: "TeamRunStarted", Kind.WORKFLOW: "WorkflowStarted"}
_TEXT = {Kind.AGENT: "RunContent", Kind.TEAM: "TeamRunContent"}


def handed_over(
    request: EngineRequest, name: str | None, database: RunDatabase, blocked: BlockedOutputs
) -> EngineOutcome:
    """The outcome of a slice. ``name``: the component's."""
    run = with_true_statuses(dict(database.run or {}))
    state = leave(request, run, withdrawn=blocked.streamed)
    members: tuple[JsonObject, ...] = ()
    if request.kind is Kind.TEAM:
        members = tuple(as_shown(blocked.removed_from(member)) for member in database.members)
        run["member_responses"] = []
    run["status"] = RunStatus.RUNNING.value
    output = left(request, as_shown(blocked.removed_from(run)), members, state)
    output = replace(output, introduction=database.introduction)
    if request.kind is not Kind.WORKFLOW:
        stored = slice_as_stored(request.kind, output.run, database.makers)
        if stored is not output.run:
            output = replace(output, run=stored, unchecked=output.to_json())
    session = delta_of(request, database)
    return EngineOutcome(
        RunStatus.PENDING,
        output,
        replace(session, set=without_metrics(dict(session.set))),
        memories=database.memories.changes(),
        state=state,
        so_far=() if request.stream else _so_far(request, name, output.run),
    )


def _so_far(request: EngineRequest, name: str | None, run: JsonObject) -> tuple[Event, ...]:
    """How the log of a run begins whose events were not wanted: that it has started, and what it has said."""
    kind = request.kind
    about: Event = {
        "created_at": run.get("created_at"),
        "run_id": request.run_id,
        "session_id": request.session_id,
        f"{kind}_id": request.component_id,
        f"{kind}_name": name or "",
    }
    events: list[Event] = [{**about, "event": _STARTED[kind]}]
    if kind is not Kind.WORKFLOW and isinstance(run.get("content"), str):
        events.append({**about, "event": _TEXT[kind], "content": run["content"], "content_type": "str"})
    return tuple(events)
