"""Terminal events that agno does not give by itself, built of agno's own event classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agno.run.agent import RunErrorEvent, RunOutput
from agno.run.team import RunErrorEvent as TeamRunErrorEvent
from agno.run.team import TeamRunOutput
from agno.run.workflow import (
    WorkflowCancelledEvent,
    WorkflowCompletedEvent,
    WorkflowErrorEvent,
    WorkflowPausedEvent,
    WorkflowRunOutput,
)
from agno.utils.events import (
    create_run_cancelled_event,
    create_run_completed_event,
    create_team_run_cancelled_event,
    create_team_run_completed_event,
)

from agentos_lambda.engine.to_json import plain_object
from agentos_lambda.protocol.values import Event, JsonObject, Kind
from agentos_lambda.runs.engine_ports import EngineRequest


def cancelled_events(request: EngineRequest, run: JsonObject, reason: str) -> list[Event]:
    """``…Cancelled`` and ``…Completed`` of a run that was interrupted."""
    return _TERMINAL[request.kind](plain_object(run), reason)


def paused_event(run: JsonObject) -> Event:
    """``WorkflowPaused``: the steps give their own events, the workflow none. A copy of what AgentOS sends."""
    paused = WorkflowRunOutput.from_dict(plain_object(run))
    event = WorkflowPausedEvent(
        run_id=paused.run_id,
        workflow_id=paused.workflow_id,
        workflow_name=paused.workflow_name,
        session_id=paused.session_id,
        status="PAUSED",
        paused_step_index=paused.paused_step_index,
        paused_step_name=paused.paused_step_name,
        pause_kind=paused.pause_kind,
        step_requirements=paused.step_requirements,
        step_results=paused.step_results,
        step_executor_runs=paused.step_executor_runs,
        content=paused.content,
        metadata=paused.metadata,
    )
    return plain_object(event.to_dict())


def error_event(request: EngineRequest, name: str | None, error: BaseException) -> Event:
    """``…Error`` for what was raised before agno took the run into its care, such as input that is not valid."""
    told: dict[str, Any] = {
        "error_type": getattr(error, "type", None),
        "error_id": getattr(error, "error_id", None),
        "additional_data": getattr(error, "additional_data", None),
        "run_id": request.run_id,
        "session_id": request.session_id,
    }
    event: RunErrorEvent | TeamRunErrorEvent | WorkflowErrorEvent
    if request.kind is Kind.AGENT:
        event = RunErrorEvent(content=str(error), agent_id=request.component_id, agent_name=name or "", **told)
    elif request.kind is Kind.TEAM:
        event = TeamRunErrorEvent(content=str(error), team_id=request.component_id, team_name=name or "", **told)
    else:
        event = WorkflowErrorEvent(error=str(error), workflow_id=request.component_id, workflow_name=name, **told)
    return plain_object(event.to_dict())


def _agent(run: JsonObject, reason: str) -> list[Event]:
    output = RunOutput.from_dict(run)
    events = (create_run_cancelled_event(output, reason), create_run_completed_event(output))
    return [plain_object(event.to_dict()) for event in events]


def _team(run: JsonObject, reason: str) -> list[Event]:
    output = TeamRunOutput.from_dict(run)
    events = (create_team_run_cancelled_event(output, reason), create_team_run_completed_event(output))
    return [plain_object(event.to_dict()) for event in events]


def _workflow(run: JsonObject, reason: str) -> list[Event]:
    output = WorkflowRunOutput.from_dict(run)
    ids: dict[str, Any] = {
        "run_id": output.run_id,
        "workflow_id": output.workflow_id,
        "workflow_name": output.workflow_name,
        "session_id": output.session_id,
    }
    cancelled = WorkflowCancelledEvent(reason=reason, content=reason, **ids)
    # agno itself passes on lists of lists here, whatever the field's type says.
    step_results: Any = output.step_results
    completed = WorkflowCompletedEvent(
        content=output.content, step_results=step_results, metadata=output.metadata, **ids
    )
    return [plain_object(cancelled.to_dict()), plain_object(completed.to_dict())]


_TERMINAL: dict[Kind, Callable[[JsonObject, str], list[Event]]] = {
    Kind.AGENT: _agent,
    Kind.TEAM: _team,
    Kind.WORKFLOW: _workflow,
}
