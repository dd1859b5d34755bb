"""What a client gets that comes back to a run: what it has missed, then what happens (the AgentOS 3.1 API)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agentos_lambda.api.sse import control_frame, frame, stream_snapshots
from agentos_lambda.protocol import resumption
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService


async def resume(runs: RunService, record: RunRecord, *, after: int, until: int | None) -> AsyncIterator[str]:
    """The frames for a client whose last event has the index ``after`` (-1: it has none), until the time ``until``."""
    run_id, kind = record.run_id, record.kind
    if not record.logged:
        yield control_frame(resumption.no_events(run_id, record.status))
        return
    snapshots = runs.tail(run_id, after=after, until=until)
    first = await anext(snapshots, None)
    if first is None:
        return
    status, missed, count = first.record.status, len(first.events), first.known_events(after=after)
    if not status.active:
        yield control_frame(resumption.replay(run_id, status, missed=missed, count=count, after=after))
    elif missed:
        yield control_frame(resumption.catch_up(run_id, missed=missed, count=count))
    for indexed in first.events:
        yield frame(indexed)
    if status.active:
        transport = resumption.Transport.HTTP
        yield control_frame(resumption.subscribed(run_id, kind, count=count, transport=transport))
    async for rest in stream_snapshots(snapshots):
        yield rest
