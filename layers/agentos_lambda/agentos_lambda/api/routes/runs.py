"""The routes that execute and follow runs: one router for agents, teams and workflows."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from agentos_lambda.api import sse
from agentos_lambda.api.requests.body import read_body
from agentos_lambda.api.requests.fields import RunId
from agentos_lambda.api.requests.parse import (
    continue_request,
    deadline_of,
    resume_point,
    run_request,
)
from agentos_lambda.api.routes.components import known_component
from agentos_lambda.api.routes.resume import resume
from agentos_lambda.protocol.ids import MAX_EVENT_INDEX
from agentos_lambda.protocol.values import Kind
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.execution import Execution
from agentos_lambda.runs.intake import RunIntake
from agentos_lambda.runs.model import Component, RunRecord
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunService, RunView


def run_router(kind: Kind, catalog: Catalog, intake: RunIntake, runs: RunService, clock: Clock) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that start, resume and continue a run."""
    router = APIRouter(prefix=f"/{kind.plural}", tags=[kind.plural.capitalize()])
    answers = _Answers(runs, clock)
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.post("/{component_id}/runs", summary=f"Run the {kind}", operation_id=f"create_{kind}_run")
    async def create_run(
        component: Known, request: Request, idempotency_key: Annotated[str | None, Header()] = None
    ) -> Response:
        """The run as JSON; its events as they happen with `stream`; at once with `background`."""
        body, deadline = await read_body(request), deadline_of(request.scope, clock)
        asked = await run_request(component, body, idempotency_key, deadline)
        if asked.background:
            record = await run_in_threadpool(intake.enqueue, asked)
            return answers.queued(record, stream=asked.stream, after=-1, until=asked.deadline)
        started = await intake.execute(asked)
        if isinstance(started, RunRecord):
            return await answers.repeated(started, component, stream=asked.stream, until=asked.deadline)
        return await answers.executed(started, component, stream=asked.stream)

    @router.post(
        "/{component_id}/runs/{run_id}/resume", summary="Resume a run", operation_id=f"resume_{kind}_run_stream"
    )
    async def resume_run(
        component: Known, run_id: RunId, request: Request, last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        """The events that were missed, then those that happen, until the run ends or pauses."""
        point = resume_point(await read_body(request), last_event_id)
        view = await run_in_threadpool(runs.get, component, run_id, session_id=point.session_id)
        return answers.stream(resume(runs, view.record, after=point.after, until=deadline_of(request.scope, clock)))

    @router.post(
        "/{component_id}/runs/{run_id}/continue", summary="Continue a paused run", operation_id=f"continue_{kind}_run"
    )
    async def continue_run(component: Known, run_id: RunId, request: Request) -> Response:
        """Answers like a new run: the run as JSON, its events with `stream`, at once with `background`."""
        asked = continue_request(component, run_id, await read_body(request), deadline_of(request.scope, clock))
        if asked.background:
            record = await run_in_threadpool(intake.enqueue_continuation, asked)
            after = record.next_index - 1
            return answers.queued(record, stream=asked.stream, after=after, until=asked.deadline)
        return await answers.executed(await intake.continue_here(asked), component, stream=asked.stream)

    return router


class _Answers:
    """The forms in which a run is answered."""

    def __init__(self, runs: RunService, clock: Clock) -> None:
        self._runs = runs
        self._clock = clock

    def stream(self, frames: AsyncIterator[str]) -> Response:
        return StreamingResponse(sse.kept_alive(frames), media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)

    async def executed(self, execution: Execution, component: Component, *, stream: bool) -> Response:
        """A run that executes here: as it happens, or when it has ended."""
        if stream:
            return self.stream(sse.stream_execution(execution, component.name, self._clock))
        result = await execution.result()
        return JSONResponse(RunView(result.record, component, result.output).show())

    def queued(self, record: RunRecord, *, stream: bool, after: int, until: int | None) -> Response:
        """A run that a worker executes: at once, or as its log tells it. A client that disconnects stops nothing."""
        if stream:
            return self.stream(sse.stream_snapshots(self._runs.tail(record.run_id, after=after, until=until)))
        return JSONResponse(
            {"run_id": record.run_id, "session_id": record.session_id, "status": record.status.value}, 202
        )

    async def repeated(self, record: RunRecord, component: Component, *, stream: bool, until: int | None) -> Response:
        """A run that an earlier request has started: as its log tells it, or when it has ended."""
        if stream:
            return self.stream(sse.stream_snapshots(self._runs.tail(record.run_id, after=-1, until=until)))
        # After every event: only the end is of interest.
        async for snapshot in self._runs.tail(record.run_id, after=MAX_EVENT_INDEX, until=until):
            record = snapshot.record
        view = await run_in_threadpool(self._runs.view, record, component)
        return JSONResponse(view.show())
