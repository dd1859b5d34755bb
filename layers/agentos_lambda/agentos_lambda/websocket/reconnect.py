"""``reconnect``: what a client has missed of a run, then its live events."""

from __future__ import annotations

from agentos_lambda.protocol import resumption
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.access import may_see
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.tail import Snapshot, take_snapshot
from agentos_lambda.websocket import control
from agentos_lambda.websocket.client import Client
from agentos_lambda.websocket.context import ActionContext
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.messages import last_event_index, optional_id, required_id, session_id
from agentos_lambda.websocket.ports import Follower, Form

_HOLD_MS = 60_000
"""Longer than a handler may take."""


def reconnect(context: ActionContext, client: Client, message: JsonObject) -> str | None:
    """Send the missed events from the log. The executor of the run sends those that happen from then on.

    There is one writer at any time: the follower is held, so that no executor sends to it, until it has got what the
    log has. If the run has ended by then, the process that removes the follower sends the rest.
    """
    record, connection_id = _find(context, client, message), client.connection_id
    after = last_event_index(message)
    if not record.logged:
        return control.text(resumption.no_events(record.run_id, record.shown_status))
    if not record.status.active:
        ended = Snapshot(record, tuple(context.store.read(record, after=after)))
        _replay(context, connection_id, ended, after=after)
        return None
    with context.registry.added(
        record.run_id, client, next_index=after + 1, form=Form.FLAT, hold_ms=_HOLD_MS
    ) as follower:
        _catch_up(context, follower, after=after)
    return None


def _find(context: ActionContext, client: Client, message: JsonObject) -> RunRecord:
    run_id = required_id(message, "run_id", "run_id is required for subscription")
    workflow_id, of_session = optional_id(message, "workflow_id"), session_id(message)
    if client.principal.isolated:
        for name, value in (("workflow_id", workflow_id), ("session_id", of_session)):
            if value is None:
                raise InvalidRequest(f"{name} is required to reconnect to a workflow run")
    caller = client.caller(message)
    record = context.store.get(run_id)
    if (
        record is None
        or record.kind is not Kind.WORKFLOW
        or workflow_id not in (None, record.component_id)
        or not may_see(record, session_id=of_session, caller=caller)
    ):
        raise _not_found(run_id)
    return record


def _not_found(run_id: str) -> InvalidRequest:
    return InvalidRequest(f"Run {run_id} not found in buffer or database")


def _catch_up(context: ActionContext, follower: Follower, *, after: int) -> None:
    run_id, connection_id = follower.run_id, follower.connection_id
    snapshot = take_snapshot(context.store, run_id, after=after)
    if snapshot is None:
        raise _not_found(run_id)
    if not snapshot.record.status.active:
        # It has ended since. No other process sends to a follower that is held.
        context.registry.remove(follower)
        _replay(context, connection_id, snapshot, after=after)
        return
    missed, count = len(snapshot.events), snapshot.known_events(after=after)
    if missed:
        context.sender.send(connection_id, control.text(resumption.catch_up(run_id, missed=missed, count=count)))
        _send_events(context, connection_id, snapshot)
    subscribed = resumption.subscribed(run_id, Kind.WORKFLOW, count=count, transport=resumption.Transport.WEBSOCKET)
    context.sender.send(connection_id, control.text(subscribed))
    released = context.registry.followers.release(follower, next_index=count)
    record = context.store.get(run_id) or snapshot.record
    if released is not None and not record.status.active:
        context.final.to_one(record, released)


def _replay(context: ActionContext, connection_id: str, snapshot: Snapshot, *, after: int) -> None:
    record, missed = snapshot.record, len(snapshot.events)
    count = snapshot.known_events(after=after)
    opening = resumption.replay(record.run_id, record.status, missed=missed, count=count, after=after)
    context.sender.send(connection_id, control.text(opening))
    _send_events(context, connection_id, snapshot)


def _send_events(context: ActionContext, connection_id: str, snapshot: Snapshot) -> None:
    for frame in Framing(snapshot.record, Form.FLAT).all(snapshot.events):
        context.sender.send(connection_id, frame.text)
