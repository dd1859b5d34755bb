"""``reconnect``: what a client has missed of a run, then what happens."""

from __future__ import annotations

from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.errors import InvalidRequest
from agentos_lambda.runs.model import IndexedEvent, RunRecord
from agentos_lambda.runs.tail import known_events
from agentos_lambda.websocket import control
from agentos_lambda.websocket.context import Services
from agentos_lambda.websocket.delivery.frames import Framing
from agentos_lambda.websocket.messages import last_event_index, optional_id, required_id
from agentos_lambda.websocket.ports import Follower, Form

_HOLD = 60_000
"""Milliseconds; longer than a handler may take."""


def reconnect(services: Services, connection_id: str, message: JsonObject) -> str | None:
    """Tell the missed events from the log; those that happen then are told by whoever executes the run.

    One writer at any time: the follower is held, so that nobody else tells it anything, until it has been told what the
    log has. If the run has ended by then, whoever removes the follower tells the rest.
    """
    record = _find(services, message)
    after = last_event_index(message)
    if not record.logged:
        return control.without_events(record)
    if not record.status.active:
        _replay(services, connection_id, record, after=after)
        return None
    with services.followings.begun(
        record.run_id, connection_id, next_index=after + 1, form=Form.FLAT, hold=_HOLD
    ) as follower:
        _catch_up(services, follower, after=after)
    return None


def _find(services: Services, message: JsonObject) -> RunRecord:
    run_id = required_id(message, "run_id", "run_id is required for subscription")
    workflow_id, session_id = optional_id(message, "workflow_id"), optional_id(message, "session_id")
    record = services.store.get(run_id)
    if (
        record is None
        or record.kind is not Kind.WORKFLOW
        or workflow_id not in (None, record.component_id)
        or session_id not in (None, record.session_id)
    ):
        raise InvalidRequest(f"Run {run_id} not found in buffer or database")
    return record


def _catch_up(services: Services, follower: Follower, *, after: int) -> None:
    connection_id = follower.connection_id
    record, missed = _look(services, follower.run_id, after=after)
    if not record.status.active:
        # It has ended since: held, the follower is nobody else's.
        services.followings.end(follower)
        _replay(services, connection_id, record, after=after)
        return
    count = known_events(record, missed, after=after)
    if missed:
        services.sender.send(connection_id, control.catch_up(record, missed, count))
        _send(services, connection_id, record, missed)
    services.sender.send(connection_id, control.subscribed(record, count))
    released = services.followings.followers.release(follower, next_index=count)
    record = services.store.get(follower.run_id) or record
    if released is not None and not record.status.active:
        services.drain.one(record, released)


def _replay(services: Services, connection_id: str, record: RunRecord, *, after: int) -> None:
    missed = list(services.store.read(record, after=after))
    count = known_events(record, missed, after=after)
    services.sender.send(connection_id, control.replay(record, missed, count, after=after))
    _send(services, connection_id, record, missed)


def _look(services: Services, run_id: str, *, after: int) -> tuple[RunRecord, list[IndexedEvent]]:
    # The record first: if it has ended by then, the log that is read after it holds everything.
    record = services.store.get(run_id)
    if record is None:
        raise InvalidRequest(f"Run {run_id} not found in buffer or database")
    return record, list(services.store.read(record, after=after))


def _send(services: Services, connection_id: str, record: RunRecord, events: list[IndexedEvent]) -> None:
    for frame in Framing(record, Form.FLAT).all(events):
        services.sender.send(connection_id, frame.text)
