"""Messages to clients that are no events of a run: flat JSON, in the words of the AgentOS 3.1 API."""

from __future__ import annotations

import json

from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.model import IndexedEvent, RunRecord


def connected(*, requires_auth: bool) -> str:
    """The first message of every connection."""
    message = "Connected to AgentOS."
    if requires_auth:
        message += " Please authenticate to continue."
    return _control("connected", message=message, requires_auth=requires_auth)


def authenticated() -> str:
    return _control("authenticated", message="Authentication successful. You can now send commands.")


def auth_error(error: str) -> str:
    return _control("auth_error", error=error)


def auth_required() -> str:
    return _control("auth_required", error="Authentication required. Send authenticate action with valid bearer token.")


def pong() -> str:
    return _control("pong")


def error(text: str) -> str:
    return _control("error", error=text)


def cancelling(record: RunRecord) -> str:
    """The answer to ``cancel-workflow``, with the fields of the answer to a cancel over HTTP."""
    requested = record.cancel_requested or record.status is RunStatus.CANCELLED
    return _control("cancelling", run_id=record.run_id, status=record.status, cancel_requested=requested)


def catch_up(record: RunRecord, missed: list[IndexedEvent], count: int) -> str:
    """Before the events that a client of a run that goes on has missed."""
    return _control(
        "catch_up",
        run_id=record.run_id,
        status="running",
        missed_events=len(missed),
        current_event_count=count,
        message=f"Catching up on {len(missed)} missed events.",
    )


def subscribed(record: RunRecord, count: int) -> str:
    """After them: what follows is live."""
    return _control(
        "subscribed",
        run_id=record.run_id,
        status="running",
        current_event_count=count,
        message="Subscribed to workflow run. You will receive new events as they occur.",
    )


def replay(record: RunRecord, missed: list[IndexedEvent], count: int, *, after: int) -> str:
    """Before the events that a client of a run that has ended, or is paused, has missed."""
    status = record.status.value
    return _control(
        "replay",
        run_id=record.run_id,
        status=status,
        total_events=len(missed),
        total_buffered=count,
        last_event_index_requested=after if after >= 0 else None,
        message=f"Run {status}. Replaying {len(missed)} missed events (of {count} total).",
    )


def without_events(record: RunRecord) -> str:
    """In place of the events of a run that has none."""
    status = record.status.value
    message = (
        f"Run is {status} and was submitted without streaming, so it has no event stream to attach to. "
        "Poll the run endpoint for its result."
        if record.status.active
        else f"Run {status} with no stored events: a run submitted without streaming keeps only its final output."
    )
    return _control("replay", run_id=record.run_id, status=status, total_events=0, message=message)


def _control(name: str, **fields: object) -> str:
    return json.dumps({"event": name, **fields})
