"""The routes that read the runs of a session, whichever components they are of."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.databases import known_database
from agentos_lambda.api.responses import Answer, TypedRoute
from agentos_lambda.api.routes.run_items import run_item
from agentos_lambda.api.routes.session_items import without_nulls
from agentos_lambda.api.routes.sessions import OfKind, SessionOfUser, SessionPath
from agentos_lambda.api.scope import caller_of
from agentos_lambda.api.threads import in_thread
from agentos_lambda.protocol.values import Json, JsonObject, Kind, RunStatus
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import RunOutput, Session, StoredRun
from agentos_lambda.sessions.service import SessionService

if TYPE_CHECKING:
    from agentos_lambda.api import answers

_PREVIEW = 280
"""Characters of a preview."""
_STATUSES = sorted([*RunStatus, "REGENERATED"])
"""Every status that AgentOS knows."""
_PREVIEWED = ("run_id", "parent_run_id", "agent_id", "team_id", "workflow_id", "user_id", "status")

Since = Annotated[int | None, Query(description="Seconds since 1970, inclusive")]
Statuses = Annotated[list[str] | None, Query(description="Only runs that have one of them")]


def session_run_router(catalog: Catalog, sessions: SessionService) -> APIRouter:
    """The routes under ``/sessions/{id}`` that are about runs."""
    database = Depends(known_database(catalog, "session"))
    router = APIRouter(
        prefix="/sessions/{session_id}", tags=["Sessions"], route_class=TypedRoute, dependencies=[database]
    )
    _add_lists(router, sessions)
    _add_run(router, sessions)
    return router


def _add_lists(router: APIRouter, sessions: SessionService) -> None:
    def chosen(
        request: Request,
        *,
        session_id: SessionPath,
        kind: OfKind = None,  # noqa: ARG001 - every run has the shape of its own kind
        user_id: SessionOfUser = None,
        created_after: Since = None,
        created_before: Since = None,
        status: Statuses = None,
    ) -> list[JsonObject]:
        """Runs as items of a list, oldest first."""
        wanted = _wanted(status)
        session = _session(request, sessions, session_id, user_id)
        return [
            without_nulls(cast("JsonObject", run_item(run)))
            for run in _all_runs(session)
            if _between(run.output.run.get("created_at"), created_after, created_before)
            and (wanted is None or run.status in wanted)
        ]

    Chosen = Annotated[list[JsonObject], Depends(in_thread(chosen))]  # noqa: N806 - a type

    @router.get(
        "/runs",
        summary="List the runs of a session",
        operation_id="get_session_runs",
        response_description="Oldest first",
    )
    async def get_session_runs(runs: Chosen) -> Answer["list[answers.RunItem]"]:
        """Runs of all components that have ended or paused in it, members before their team."""
        return Answer(cast("list[answers.RunItem]", runs))

    @router.get(
        "/run-previews",
        summary="List the runs of a session in short",
        operation_id="get_session_run_previews",
        response_description="Oldest first",
    )
    async def get_session_run_previews(runs: Chosen) -> Answer["list[answers.RunPreview]"]:
        """The same runs, with the beginnings of what went in and came out."""
        return Answer([_preview(run) for run in runs])


def _add_run(router: APIRouter, sessions: SessionService) -> None:
    @router.get(
        "/runs/{run_id}",
        summary="Get a run of a session",
        operation_id="get_session_run",
        response_description="The run",
    )
    def get_session_run(
        request: Request,
        session_id: SessionPath,
        run_id: Annotated[str, Path(description="The id of a run, or of a member's run")],
        kind: OfKind = None,  # noqa: ARG001 - as above
        user_id: SessionOfUser = None,
    ) -> Answer["answers.RunItem"]:
        """One of the runs that the list has."""
        runs = list(_all_runs(_session(request, sessions, session_id, user_id)))
        if not runs:
            raise NotFound(f"Session with ID {session_id} has no runs")
        found = next((run for run in runs if run.run_id == run_id), None)
        if found is None:
            raise NotFound(f"Run with ID {run_id} not found in session {session_id}")
        return Answer(run_item(found))


def _session(request: Request, sessions: SessionService, session_id: str, user_id: str | None) -> Session:
    missing = f"Session with ID {session_id} not found"
    return sessions.get(session_id, caller=caller_of(request, user_id), missing=missing)


def _wanted(statuses: list[str] | None) -> set[str] | None:
    if not statuses:
        return None
    wanted = {status.upper() for status in statuses}
    unknown = sorted(wanted.difference(_STATUSES))
    if unknown:
        raise ApiError(400, f"Invalid status value(s) {unknown}; expected one of {[str(each) for each in _STATUSES]}")
    return wanted


def _between(created_at: int | None, after: int | None, before: int | None) -> bool:
    if created_at is None:
        return True
    return (after is None or created_at >= after) and (before is None or created_at <= before)


def _all_runs(session: Session) -> Iterator[StoredRun]:
    """The session's runs, each after those that worked for it, and the first after its component's introduction."""
    for stored in session.runs:
        for other in stored.output.others:
            kind = Kind.AGENT if other.get("agent_id") is not None else Kind.TEAM
            component_id = other.get(f"{kind}_id") or ""
            status = RunStatus(other.get("status", stored.status))
            yield StoredRun(other["run_id"], kind, component_id, status, stored.accepted_at, RunOutput(other))
        yield stored


def _preview(run: JsonObject) -> "answers.RunPreview":
    preview = {name: run.get(name) for name in _PREVIEWED}
    preview |= {"run_input": _start(run.get("run_input")), "content_preview": _start(run.get("content"))}
    return cast("answers.RunPreview", without_nulls({**preview, "created_at": run["created_at"]}))


def _start(value: Json) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value))[:_PREVIEW]
