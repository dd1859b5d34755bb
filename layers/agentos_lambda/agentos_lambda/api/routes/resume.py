"""What a client gets that comes back to a run: what it has missed, then what happens (the AgentOS 3.1 API)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agentos_lambda.api.sse import control_frame, frame, stream_looks
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService
from agentos_lambda.runs.tail import Look, known_events


async def resume(runs: RunService, record: RunRecord, *, after: int, until: int | None) -> AsyncIterator[str]:
    """The frames for a client whose last event has the index ``after`` (-1: it has none), until the time ``until``."""
    if not record.logged:
        yield _without_events(record)
        return
    looks = runs.follow(record.run_id, after=after, until=until)
    first = await anext(looks, None)
    if first is None:
        return
    if first.record.status.active:
        for opening in _subscription(first, after):
            yield opening
    else:
        yield _replay(first, after)
    for indexed in first.events:
        yield frame(indexed)
    if first.record.status.active:
        yield _subscribed(first, after)
    async for rest in stream_looks(looks):
        yield rest


def _subscription(look: Look, after: int) -> list[str]:
    missed = len(look.events)
    if not missed:
        return []
    return [
        control_frame(
            "catch_up",
            run_id=look.record.run_id,
            status="running",
            missed_events=missed,
            current_event_count=known_events(look.record, look.events, after=after),
            message=f"Catching up on {missed} missed events.",
        )
    ]


def _subscribed(look: Look, after: int) -> str:
    return control_frame(
        "subscribed",
        run_id=look.record.run_id,
        status="running",
        current_event_count=known_events(look.record, look.events, after=after),
        message=f"Subscribed to {look.record.kind} run. Receiving live events.",
    )


def _replay(look: Look, after: int) -> str:
    missed, status = len(look.events), look.record.status.value
    total = known_events(look.record, look.events, after=after)
    return control_frame(
        "replay",
        run_id=look.record.run_id,
        status=status,
        total_events=missed,
        total_buffered=total,
        last_event_index_requested=after if after >= 0 else None,
        message=f"Run {status}. Replaying {missed} missed events (of {total} total).",
    )


def _without_events(record: RunRecord) -> str:
    status = record.status.value
    message = (
        f"Run is {status} and was submitted without streaming, so it has no event stream to attach to. "
        "Poll the run endpoint for its result."
        if record.status.active
        else f"Run {status} with no stored events: a run submitted without streaming keeps only its final output."
    )
    return control_frame("replay", run_id=record.run_id, status=status, total_events=0, message=message)
