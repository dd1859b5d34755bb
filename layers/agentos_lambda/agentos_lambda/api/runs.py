"""The routes of runs: one router for agents, teams and workflows."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from agentos_lambda.api import sse
from agentos_lambda.api.body import read_body
from agentos_lambda.api.components import known_component
from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.run_form import RunForm, request_body_schema
from agentos_lambda.api.run_list import run_item
from agentos_lambda.api.uploads import read_uploads
from agentos_lambda.runs.clock import Clock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import Component, Kind, RunStatus
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunRequest, RunService, RunView

ENDING_TAKES = 5_000
"""Milliseconds before a function's own deadline at which its run is told to end."""


def run_router(kind: Kind, catalog: Catalog, runs: RunService, clock: Clock) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs``."""
    router = APIRouter(prefix=f"/{kind.plural}", tags=[kind.plural.capitalize()])

    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.post("/{component_id}/runs", summary=f"Run the {kind}", openapi_extra=request_body_schema(kind))
    async def create_run(component: Known, request: Request) -> Response:
        """The run as JSON, or its events as they happen with `stream`."""
        run_request = await _run_request(component, request, clock)
        execution = await runs.execute(run_request)
        if run_request.stream:
            frames = sse.stream_execution(execution, component, clock)
            return StreamingResponse(frames, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
        ended = await execution.ended()
        return JSONResponse(RunView(ended.record, component, ended.output).show())

    @router.get("/{component_id}/runs", summary="List the runs of a session")
    def list_runs(component: Known, session_id: str, status: RunStatus | None = None) -> Response:
        """The runs that have ended or paused, oldest first."""
        return JSONResponse([run_item(run) for run in runs.list(component, session_id, status=status)])

    @router.get("/{component_id}/runs/{run_id}", summary="Get a run")
    def get_run(component: Known, run_id: str, session_id: Annotated[str | None, Query()] = None) -> Response:
        """The run at any time of its life: with its status while it runs, whole when it has ended."""
        return JSONResponse(runs.get(component, run_id, session_id=session_id).show())

    @router.post("/{component_id}/runs/{run_id}/cancel", summary="Cancel a run")
    def cancel_run(component: Known, run_id: str) -> Response:
        """Stop the run wherever it executes. A run that has ended stays as it is."""
        try:
            record = runs.cancel(component, run_id)
        except StoreUnavailable as error:
            raise ApiError(500, "The run could not be cancelled", error_code="CANCEL_FAILED") from error
        requested = record.cancel_requested or record.status is RunStatus.CANCELLED
        return JSONResponse({"run_id": run_id, "status": record.status, "cancel_requested": requested})

    return router


async def _run_request(component: Component, request: Request, clock: Clock) -> RunRequest:
    """What the client asks for. Raises ``ApiError`` for what can not be understood, before anything has run."""
    body = await read_body(request)
    form = RunForm.of(body)
    if component.kind is Kind.WORKFLOW and body.files:
        raise ApiError(400, "Files are not supported for workflow runs")
    if form.background:
        raise ApiError(400, "Background runs are not supported yet")
    uploads = read_uploads(body.files, form.files_metadata)
    return RunRequest(
        component=component,
        input=form.run_input(uploads),
        session_id=form.session_id,
        user_id=form.user_id,
        run_id=form.run_id,
        stream=bool(form.stream),
        deadline=_deadline(request.scope, clock),
    )


def _deadline(scope: Any, clock: Clock) -> int | None:
    """When a run in this invocation has to end, by the context that the function was invoked with."""
    context = scope.get("aws.context")
    if context is None:
        return None
    return int(clock.now() + context.get_remaining_time_in_millis() - ENDING_TAKES)
