"""The routes that read and cancel runs, whoever executes them. None of them imports an engine."""

from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Depends, Query

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.fields import RunId, SessionId, SessionIdText
from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.routes.components import component_path, known_component
from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.protocol.resumption import cancel_answer
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.model import Component
from agentos_lambda.runs.ports import Catalog
from agentos_lambda.runs.service import RunService

if TYPE_CHECKING:
    from agentos_lambda.api import answers

_OfSession = Query(description="The id of a session")


def run_state_router(kind: Kind, catalog: Catalog, runs: RunService) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that list, get and cancel."""
    router = APIRouter(prefix=f"{component_path(kind)}/runs", tags=[kind.plural.capitalize()], route_class=TypedRoute)
    Known = Annotated[Component, Depends(known_component(kind, catalog))]  # noqa: N806 - a type

    @router.get(
        "", summary="List the runs of a session", operation_id=f"list_{kind}_runs", response_description="Oldest first"
    )
    def list_runs(
        component: Known,
        session_id: Annotated[SessionIdText, _OfSession],
        status: Annotated[RunStatus | None, Query(description="Only runs that have it")] = None,
    ) -> Answer["list[answers.RunItem]"]:
        """The runs that have ended or paused, oldest first."""
        return Answer([run_item(run) for run in runs.list(component, session_id, status=status)])

    @router.get("/{run_id}", summary="Get a run", operation_id=f"get_{kind}_run", response_description="The run")
    def get_run(
        component: Known, run_id: RunId, session_id: Annotated[SessionId, _OfSession] = None
    ) -> Answer["answers.Run"]:
        """The run at any time of its life: with its status while it runs, whole when it has ended."""
        return Answer(cast("answers.Run", runs.get(component, run_id, session_id=session_id).show()))

    @router.post(
        "/{run_id}/cancel",
        summary="Cancel a run",
        operation_id=f"cancel_{kind}_run",
        response_description="What has become of it",
    )
    def cancel_run(component: Known, run_id: RunId) -> Answer["answers.Cancellation"]:
        """Stop the run wherever it executes. A run that has ended stays as it is."""
        try:
            record = runs.cancel(component, run_id)
        except StoreUnavailable as error:
            raise ApiError(500, "The run could not be cancelled", error_code="CANCEL_FAILED") from error
        return Answer(cancel_answer(run_id, record.status, flagged=record.cancel_requested))

    return router
