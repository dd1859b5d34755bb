"""The routes of sessions. None of them imports an engine."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast

from fastapi import APIRouter, Depends, Path, Query, Request

from agentos_lambda.api.requests.databases import known_database
from agentos_lambda.api.requests.session_forms import (
    DeletionForm,
    NewSessionForm,
    RenameForm,
    SessionChangeForm,
    read_form,
)
from agentos_lambda.api.responses import Answer, Created, NoContent, TypedRoute
from agentos_lambda.api.routes.paging import MAX_PAGE, Page, page_info
from agentos_lambda.api.routes.session_items import session_detail, session_item, without_nulls
from agentos_lambda.api.scope import caller_of, principal_of
from agentos_lambda.protocol.values import JsonObject, Kind
from agentos_lambda.runs.access import Caller
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.model import Session, SessionDelta
from agentos_lambda.sessions.model import SessionFilter, SessionQuery, SortBy
from agentos_lambda.sessions.service import SessionService

if TYPE_CHECKING:
    from agentos_lambda.api import answers

SessionPath: TypeAlias = Annotated[str, Path(description="The id of a session")]
SessionOfUser: TypeAlias = Annotated[str | None, Query(description="Only if the session is this user's")]
Ignored: TypeAlias = Annotated[Kind | None, Query(alias="type", description="The kind of the session")]
OfKind: TypeAlias = Annotated[Kind | None, Query(alias="type", description="The kind in whose shape to answer")]


def session_router(catalog: Catalog, sessions: SessionService) -> APIRouter:
    """The routes under ``/sessions`` that are about sessions as a whole."""
    database = Depends(known_database(catalog, "session"))
    router = APIRouter(prefix="/sessions", tags=["Sessions"], route_class=TypedRoute, dependencies=[database])
    _add_reads(router, sessions)
    _add_creation(router, sessions)
    _add_changes(router, sessions)
    _add_deletions(router, sessions)
    return router


def _add_reads(router: APIRouter, sessions: SessionService) -> None:
    @router.get("", summary="List sessions", operation_id="get_sessions", response_description="A page of them")
    def get_sessions(
        request: Request,
        *,
        kind: Annotated[Kind | None, Query(alias="type", description="Only those of a kind")] = None,
        component_id: Annotated[str | None, Query(description="Only those of an agent, a team or a workflow")] = None,
        user_id: Annotated[str | None, Query(description="Only those of a user")] = None,
        session_name: Annotated[str | None, Query(description="Only those whose name has this in it")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Sessions on a page")] = 20,
        page: Page = 1,
        sort_by: Annotated[str, Query(description="A field of a session")] = "created_at",
        sort_order: Annotated[Literal["asc", "desc"], Query(description="`asc` or `desc`")] = "desc",
    ) -> Answer["answers.SessionList"]:
        """Newest first. A search for a name, and other orders than that, go through the newest 1,000 sessions."""
        chosen = SortBy(sort_by) if sort_by in list(SortBy) else SortBy.CREATED_AT
        asked = SessionQuery(SessionFilter(kind, component_id), session_name, limit, page, chosen, sort_order == "asc")
        found = sessions.list(asked, caller=caller_of(request, user_id))
        listed = [session_item(session) for session in found.sessions]
        return Answer({"data": listed, "meta": page_info(page, limit, found.total)})

    @router.get("/{session_id}", summary="Get a session", operation_id="get_session", response_description="All of it")
    def get_session(
        request: Request, session_id: SessionPath, kind: OfKind = None, user_id: SessionOfUser = None
    ) -> Answer["answers.SessionDetail"]:
        """The session with its state, and with what was said in it. What it does not have is left out."""
        told = f"{kind.label} Session with id '{session_id}' not found" if kind is not None else None
        session = sessions.get(session_id, caller=caller_of(request, user_id), missing=told)
        return Answer(_shown(without_nulls(session_detail(session, kind or session.kind))))


def _add_creation(router: APIRouter, sessions: SessionService) -> None:
    @router.post(
        "",
        summary="Create a session",
        operation_id="create_session",
        response_description="The session",
        openapi_extra={"x-form": NewSessionForm.__name__},
        status_code=201,
    )
    async def create_session(
        request: Request, kind: Annotated[Kind, Query(alias="type", description="Its kind")] = Kind.AGENT
    ) -> Created["answers.SessionDetail"]:
        """A session before its first run, which finds its state and its metadata."""
        form = await read_form(request, NewSessionForm)
        session = await asyncio.to_thread(
            sessions.create,
            kind,
            session_id=form.session_id,
            component_id=form.component_id(kind),
            user_id=principal_of(request.scope).acts_for(form.user_id),
            name=form.session_name,
            fields=form.fields(),
            caller=caller_of(request),
        )
        return Created(_shown(without_nulls(session_detail(session, kind))))


def _add_changes(router: APIRouter, sessions: SessionService) -> None:
    async def change(
        session_id: str, changes: Callable[[Session], SessionDelta], name: str | None, caller: Caller
    ) -> Answer["answers.SessionDetail"]:
        """Change the session, whatever kind the request names (AgentOS 3.1)."""
        session = await asyncio.to_thread(sessions.change, session_id, changes, name=name, caller=caller)
        return Answer(_shown(session_detail(session, session.kind)))

    @router.patch(
        "/{session_id}",
        summary="Change a session",
        operation_id="update_session",
        response_description="The session",
        openapi_extra={"x-form": SessionChangeForm.__name__},
    )
    async def update_session(
        request: Request,
        session_id: SessionPath,
        kind: Ignored = None,  # noqa: ARG001 - every session has the shape of its own kind
        user_id: SessionOfUser = None,
    ) -> Answer["answers.SessionDetail"]:
        """Replace its name, its state, its metadata or its summary. A run that goes on keeps the keys that it sets."""
        form = await read_form(request, SessionChangeForm, required=True)
        caller = caller_of(request, user_id)
        return await change(session_id, lambda read: form.changes(read.fields), form.session_name, caller)

    @router.post(
        "/{session_id}/rename",
        summary="Rename a session",
        operation_id="rename_session",
        response_description="The session",
        openapi_extra={"x-form": RenameForm.__name__},
    )
    async def rename_session(
        request: Request,
        session_id: SessionPath,
        kind: Ignored = None,  # noqa: ARG001 - every session has the shape of its own kind
        user_id: SessionOfUser = None,
    ) -> Answer["answers.SessionDetail"]:
        """Give it a name, which it keeps through later runs."""
        form = await read_form(request, RenameForm)
        caller = caller_of(request, user_id)
        return await change(session_id, lambda _: SessionDelta(), form.session_name, caller)


def _add_deletions(router: APIRouter, sessions: SessionService) -> None:
    media = Query(description="Delete the media of its runs as well")

    @router.delete(
        "/{session_id}", summary="Delete a session", operation_id="delete_session", response_description="It is gone",
        status_code=204,
    )  # fmt: skip
    def delete_session(
        request: Request,
        session_id: SessionPath,
        user_id: SessionOfUser = None,
        delete_media: Annotated[bool, media] = False,
    ) -> NoContent:
        """Cancel what still runs in it, and have a worker remove its runs. Deleting it twice changes nothing."""
        sessions.delete(session_id, caller=caller_of(request, user_id), media=delete_media)
        return NoContent()

    @router.delete(
        "",
        summary="Delete several sessions",
        operation_id="delete_sessions",
        response_description="They are gone",
        openapi_extra={"x-form": DeletionForm.__name__},
        status_code=204,
    )
    async def delete_sessions(
        request: Request, user_id: SessionOfUser = None, delete_media: Annotated[bool, media] = False
    ) -> NoContent:
        """As one by one."""
        form = await read_form(request, DeletionForm)
        for session_id in dict.fromkeys(form.session_ids):
            await asyncio.to_thread(sessions.delete, session_id, caller=caller_of(request, user_id), media=delete_media)
        return NoContent()


def _shown(session: JsonObject) -> "answers.SessionDetail":
    return cast("answers.SessionDetail", session)
