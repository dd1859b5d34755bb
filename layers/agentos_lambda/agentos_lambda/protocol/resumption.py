"""What a client gets that comes back to a run, and the answer to a cancel: one wording for HTTP and WebSocket.

What comes before and after a run's events has its name under ``event`` (the AgentOS 3.1 API).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TypedDict

from agentos_lambda.protocol.values import JsonObject, Kind, RunStatus


class Transport(Enum):
    """The way to a client. AgentOS has a sentence of its own for each."""

    HTTP = auto()
    WEBSOCKET = auto()


_LIVE = {
    Transport.HTTP: "Receiving live events.",
    Transport.WEBSOCKET: "You will receive new events as they occur.",
}


def catch_up(run_id: str, *, missed: int, count: int) -> JsonObject:
    """Before the ``missed`` events of a run that has not ended. ``count`` is how many events it has so far."""
    return {
        "event": "catch_up",
        "run_id": run_id,
        "status": "running",
        "missed_events": missed,
        "current_event_count": count,
        "message": f"Catching up on {missed} missed events.",
    }


def subscribed(run_id: str, kind: Kind, *, count: int, transport: Transport) -> JsonObject:
    """After the missed events: the next ones are live."""
    return {
        "event": "subscribed",
        "run_id": run_id,
        "status": "running",
        "current_event_count": count,
        "message": f"Subscribed to {kind} run. {_LIVE[transport]}",
    }


def replay(run_id: str, status: RunStatus, *, missed: int, count: int, after: int) -> JsonObject:
    """Before the missed events of a run that has ended or is paused. ``after`` is the client's last index, or -1."""
    return {
        "event": "replay",
        "run_id": run_id,
        "status": status.value,
        "total_events": missed,
        "total_buffered": count,
        "last_event_index_requested": after if after >= 0 else None,
        "message": f"Run {status}. Replaying {missed} missed events (of {count} total).",
    }


def no_events(run_id: str, status: RunStatus) -> JsonObject:
    """In place of the events of a run that has no log."""
    message = (
        f"Run is {status} and was submitted without streaming, so it has no event stream to attach to. "
        "Poll the run endpoint for its result."
        if status.active
        else f"Run {status} with no stored events: a run submitted without streaming keeps only its final output."
    )
    return {"event": "replay", "run_id": run_id, "status": status.value, "total_events": 0, "message": message}


class CancelAnswer(TypedDict):
    """Where the run stands, and whether the cancel holds."""

    run_id: str
    status: RunStatus
    cancel_requested: bool


def cancel_answer(run_id: str, status: RunStatus, *, flagged: bool) -> CancelAnswer:
    """The answer to a cancel."""
    return {
        "run_id": run_id,
        "status": status,
        "cancel_requested": flagged or status is RunStatus.CANCELLED,
    }
