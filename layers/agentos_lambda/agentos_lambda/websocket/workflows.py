"""The actions that start, continue and cancel a workflow. Each gives what is to be answered, if anything is."""

from __future__ import annotations

from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.commands import ContinueRequest, RunRequest
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.websocket import control
from agentos_lambda.websocket.context import Services
from agentos_lambda.websocket.messages import optional_id, required_id, step_requirements, workflow_input
from agentos_lambda.websocket.ports import Form


def start(services: Services, connection_id: str, message: JsonObject) -> None:
    """Queue a run that this connection follows: its first event says that it goes on."""
    workflow = services.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = services.new_id()
    request = RunRequest(
        component=workflow,
        input=RunInput(workflow_input(message)),
        session_id=optional_id(message, "session_id"),
        user_id=optional_id(message, "user_id"),
        run_id=run_id,
        stream=True,
        background=True,
    )
    # The follower first: a run that was accepted is never without it.
    with services.followings.begun(run_id, connection_id, next_index=0, form=Form.SSE):
        services.intake.enqueue(request)


def go_on(services: Services, connection_id: str, message: JsonObject) -> None:
    """Queue the continuation of a paused run, for this connection to follow from there."""
    workflow = services.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = required_id(message, "run_id", "run_id is required")
    request = ContinueRequest(
        component=workflow,
        run_id=run_id,
        continuation=Continuation(requirements=step_requirements(message)),
        session_id=optional_id(message, "session_id"),
        user_id=optional_id(message, "user_id"),
        stream=True,
        background=True,
    )
    record = services.run_of(workflow, run_id)
    if record.status is not RunStatus.PAUSED:
        raise InvalidRequest(f"Run is not paused (status={record.status})")
    with services.followings.begun(run_id, connection_id, next_index=record.next_index, form=Form.SSE):
        services.intake.enqueue_continuation(request)


def cancel(services: Services, _connection_id: str, message: JsonObject) -> str:
    """Cancel a run, wherever it executes. Those who follow it are told its end."""
    workflow = services.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = required_id(message, "run_id", "run_id is required")
    services.run_of(workflow, run_id)
    record = services.runs.cancel(workflow, run_id)
    if record.status.final:
        services.drain.all(record)  # of a run that waited, no executor does it
    return control.cancelling(record)
