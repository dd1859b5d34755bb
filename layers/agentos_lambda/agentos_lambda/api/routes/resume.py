"""What a client gets when it comes back to a run: what it missed, then what happens (the AgentOS 3.1 API).

Nothing here imports an engine, or reads more than the run's record and its log.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from agentos_lambda.api.requests.body import read_body
from agentos_lambda.api.requests.fields import RunId
from agentos_lambda.api.requests.parse import ResumeForm, resume_point
from agentos_lambda.api.responses import TypedRoute
from agentos_lambda.api.routes.asking import NamedInQuery
from agentos_lambda.api.routes.components import component_path, known_component
from agentos_lambda.api.scope import caller_of, deadline_of
from agentos_lambda.api.sse import GOES_ON, EventStream, control_frame, frame, stream_snapshots
from agentos_lambda.protocol import resumption
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import RunRecord
from agentos_lambda.runs.service import RunService

_LastEventId = Header(
    alias="Last-Event-ID", description="The index of the last event that the client has; `last_event_index` wins"
)


def resume_router(kind: Kind, catalog: Catalog, runs: RunService) -> APIRouter:
    """``POST /{kind}/{id}/runs/{run_id}/resume``."""
    router = APIRouter(prefix=f"{component_path(kind)}/runs", tags=[kind.plural.capitalize()], route_class=TypedRoute)
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.post(
        "/{run_id}/resume",
        summary="Resume a run",
        operation_id=f"resume_{kind}_run_stream",
        response_description="What was missed, then what happens",
        openapi_extra={"x-form": ResumeForm.__name__},
    )
    async def resume_run(
        component: Known,
        run_id: RunId,
        query: NamedInQuery,
        request: Request,
        last_event_id: Annotated[str | None, _LastEventId] = None,
    ) -> EventStream:
        """The events that were missed, then those that happen, until the run ends or pauses."""
        point = resume_point(await read_body(request), last_event_id, query)
        who, caller = point.asker, caller_of(request, point.asker.user_id)
        record = await asyncio.to_thread(runs.find, component, run_id, session_id=who.session_id, caller=caller)
        return EventStream(resume(runs, record, after=point.after, until=deadline_of(request.scope)))

    return router


async def resume(runs: RunService, record: RunRecord, *, after: int, until: int | None) -> AsyncIterator[str]:
    """The frames for a client whose last event has the index ``after`` (-1: it has none), until the time ``until``."""
    run_id, kind = record.run_id, record.kind
    if not record.logged:
        yield control_frame(resumption.no_events(run_id, record.shown_status))
        return
    snapshots = runs.tail(run_id, after=after, until=until)
    try:
        first = await anext(snapshots, None)
    except StoreUnavailable:
        yield GOES_ON
        return
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
