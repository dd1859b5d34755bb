"""The routes that read and cancel runs, whoever executes them. None of them imports an engine."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BeforeValidator

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.body import Body, read_body
from agentos_lambda.api.requests.fields import RunId, SessionIdText, UserIdText, none_if_empty
from agentos_lambda.api.requests.parse import CancelForm, asker
from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.routes.asking import NamedInQuery, OfSession, OfUser
from agentos_lambda.api.routes.components import component_path, known_component
from agentos_lambda.api.routes.run_lists import DEFAULT_LIMIT, MAX_LIMIT, run_list
from agentos_lambda.api.scope import caller_of
from agentos_lambda.protocol.resumption import cancel_answer
from agentos_lambda.protocol.values import Kind, RunStatus
from agentos_lambda.runs.catalog import Catalog, Component
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.runs.service import RunService

if TYPE_CHECKING:
    from agentos_lambda.api import answers

_MAX_PAGE = 1_000_000


def run_state_router(kind: Kind, catalog: Catalog, runs: RunService) -> APIRouter:
    """The routes under ``/{kind}/{id}/runs`` that list, get and cancel."""
    router = APIRouter(prefix=f"{component_path(kind)}/runs", tags=[kind.plural.capitalize()], route_class=TypedRoute)
    known = Depends(known_component(kind, catalog))
    _add_reads(router, kind, known, runs)
    _add_cancel(router, kind, known, runs)
    return router


def _add_reads(router: APIRouter, kind: Kind, known: Any, runs: RunService) -> None:
    @router.get(
        "", summary="List the runs of a session", operation_id=f"list_{kind}_runs", response_description="Oldest first"
    )
    def list_runs(
        request: Request,
        component: Annotated[Component, known],
        *,
        session_id: Annotated[SessionIdText, OfSession],
        user_id: Annotated[UserIdText | None, OfUser] = None,
        status: Annotated[
            RunStatus | None, BeforeValidator(none_if_empty), Query(description="Only runs that have it")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Runs on a page")] = DEFAULT_LIMIT,
        page: Annotated[int, Query(ge=1, le=_MAX_PAGE, description="From 1 on")] = 1,
    ) -> Answer["list[answers.RunItem]"]:
        """A page of the runs that have ended or paused, oldest first."""
        caller = caller_of(request, user_id)
        found = runs.list(component, session_id, caller=caller, status=status, skip=(page - 1) * limit)
        return Answer(run_list(found, limit=limit))

    @router.get("/{run_id}", summary="Get a run", operation_id=f"get_{kind}_run", response_description="The run")
    def get_run(
        request: Request, component: Annotated[Component, known], run_id: RunId, query: NamedInQuery
    ) -> Answer["answers.Run"]:
        """The run at any time of its life: with its status while it runs, whole when it has ended."""
        view = runs.get(component, run_id, session_id=query.session_id, caller=caller_of(request, query.user_id))
        return Answer(cast("answers.Run", view.show()))


def _add_cancel(router: APIRouter, kind: Kind, known: Any, runs: RunService) -> None:
    @router.post(
        "/{run_id}/cancel",
        summary="Cancel a run",
        operation_id=f"cancel_{kind}_run",
        response_description="What has become of it",
        openapi_extra={"x-form": CancelForm.__name__},
    )
    async def cancel_run(
        component: Annotated[Component, known], run_id: RunId, query: NamedInQuery, request: Request
    ) -> Answer["answers.Cancellation"]:
        """Stop the run wherever it executes. A run that has ended stays as it is."""
        # Most clients send nothing, under whatever type.
        who = asker(await read_body(request) if await request.body() else Body({}), query)
        try:
            record = await asyncio.to_thread(
                runs.cancel, component, run_id, session_id=who.session_id, caller=caller_of(request, who.user_id)
            )
        except StoreUnavailable as error:
            raise ApiError(500, "The run could not be cancelled", error_code="CANCEL_FAILED") from error
        return Answer(cancel_answer(run_id, record.status, flagged=record.cancel_requested))
