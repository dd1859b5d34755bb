"""The actions that start, continue and cancel a workflow's run. Each returns its answer, if it has one."""

from __future__ import annotations

from agentos_lambda.identity import audit
from agentos_lambda.protocol.values import JsonObject, RunStatus
from agentos_lambda.runs.commands import ContinueRun, StartRun
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import Continuation, RunInput
from agentos_lambda.websocket import control
from agentos_lambda.websocket.client import Client
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.messages import required_id, session_id, step_requirements, user_id, workflow_message
from agentos_lambda.websocket.ports import Form


def start_workflow(context: ActionContext, client: Client, message: JsonObject) -> None:
    """Queue a run that this connection follows: its first event is the answer."""
    workflow = context.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = context.new_id()
    command = StartRun(
        component=workflow,
        work=RunInput(workflow_message(message)),
        session_id=session_id(message),
        user_id=client.principal.acts_for(user_id(message)),
        run_id=run_id,
        stream=True,
        background=True,
        isolated=client.principal.isolated,
        account=client.principal.account,
        limits=client.principal.limits,
    )
    # The follower first: an accepted run is never without it.
    with context.registry.added(run_id, client, next_index=0, form=Form.SSE):
        record = context.intake.enqueue(command)
    audit.done(client.principal, "run started", run_id=run_id, session_id=record.session_id, user_id=record.user_id)


def continue_workflow(context: ActionContext, client: Client, message: JsonObject) -> None:
    """Queue the continuation of a paused run. This connection follows it from there."""
    workflow = context.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = required_id(message, "run_id", "run_id is required")
    command = ContinueRun(
        component=workflow,
        run_id=run_id,
        work=Continuation(requirements=step_requirements(message)),
        session_id=session_id(message),
        caller=client.caller(message),
        stream=True,
        background=True,
        limits=client.principal.limits,
    )
    record = context.run_of(workflow, run_id, client, message)
    if record.status is not RunStatus.PAUSED:
        raise InvalidRequest(f"Run is not paused (status={record.shown_status})")
    with context.registry.added(run_id, client, next_index=record.next_index, form=Form.SSE, left_by=record.attempt):
        context.intake.enqueue_continuation(command)
    audit.done(client.principal, "run continued", run_id=run_id, session_id=record.session_id, user_id=record.user_id)


def cancel_workflow(context: ActionContext, client: Client, message: JsonObject) -> str:
    """Cancel a run, wherever it executes. Its followers get its end."""
    workflow = context.workflow(required_id(message, "workflow_id", "workflow_id is required"))
    run_id = required_id(message, "run_id", "run_id is required")
    context.run_of(workflow, run_id, client, message)
    record = context.runs.cancel(workflow, run_id)
    if record.untold:  # it waited: an executor sends the end of its run itself, after all else
        context.final.to_all(record)
        context.store.note_told(record)
    return control.cancelling(record)
