"""The routes that read and cancel runs, whoever executes them. None of them imports an engine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.fields import Id, IdText, RunId
from agentos_lambda.api.routes.components import known_component
from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.protocol.resumption import cancel_answer
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import Component
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunService


def run_state_router(kind: Kind, catalog: Catalog, runs: RunService) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that list, get and cancel."""
    router = APIRouter(prefix=f"/{kind.plural}", tags=[kind.plural.capitalize()])
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.get("/{component_id}/runs", summary="List the runs of a session", operation_id=f"list_{kind}_runs")
    def list_runs(component: Known, session_id: IdText, status: RunStatus | None = None) -> Response:
        """The runs that have ended or paused, oldest first."""
        return JSONResponse([run_item(run) for run in runs.list(component, session_id, status=status)])

    @router.get("/{component_id}/runs/{run_id}", summary="Get a run", operation_id=f"get_{kind}_run")
    def get_run(component: Known, run_id: RunId, session_id: Id = None) -> Response:
        """The run at any time of its life: with its status while it runs, whole when it has ended."""
        return JSONResponse(runs.get(component, run_id, session_id=session_id).show())

    @router.post("/{component_id}/runs/{run_id}/cancel", summary="Cancel a run", operation_id=f"cancel_{kind}_run")
    def cancel_run(component: Known, run_id: RunId) -> Response:
        """Stop the run wherever it executes. A run that has ended stays as it is."""
        try:
            record = runs.cancel(component, run_id)
        except StoreUnavailable as error:
            raise ApiError(500, "The run could not be cancelled", error_code="CANCEL_FAILED") from error
        return JSONResponse(cancel_answer(run_id, record.status, flagged=record.cancel_requested))

    return router
