"""The route of a session's media: the bytes of what its runs were sent or have made."""

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from agentos_lambda.api.requests.databases import known_database
from agentos_lambda.api.responses import TypedRoute
from agentos_lambda.api.routes.sessions import SessionOfUser, SessionPath
from agentos_lambda.api.scope import caller_of
from agentos_lambda.protocol.media_types import ACTIVE_TYPES, is_media_type
from agentos_lambda.protocol.values import Json, JsonObject
from agentos_lambda.runs.catalog import Catalog
from agentos_lambda.runs.errors import NotFound
from agentos_lambda.runs.model import Session
from agentos_lambda.sessions.ports import MediaLinks
from agentos_lambda.sessions.service import SessionService

_OCTETS = "application/octet-stream"


def session_media_router(catalog: Catalog, sessions: SessionService, links: MediaLinks) -> APIRouter:
    """``/sessions/{id}/media/{key}``; a key is the id that a medium has in its run."""
    database = Depends(known_database(catalog, "session"))
    router = APIRouter(prefix="/sessions", tags=["Sessions"], route_class=TypedRoute, dependencies=[database])

    @router.get(
        "/{session_id}/media/{storage_key:path}",
        summary="Get a medium of a session",
        operation_id="get_session_media",
        response_description="Its bytes",
    )
    def get_session_media(
        request: Request,
        session_id: SessionPath,
        storage_key: Annotated[str, Path(description="The id of a medium in a run")],
        user_id: SessionOfUser = None,
        redirect: Annotated[bool, Query(description="Redirect to a URL that is valid for five minutes")] = False,
    ) -> Response:
        """An image, a sound, a film or a document, by the id that it has in its run."""
        session = sessions.get(
            session_id, caller=caller_of(request, user_id), missing=f"Session '{session_id}' not found"
        )
        medium = next((each for each in _media(session) if each["id"] == storage_key), None)
        if medium is None:
            raise NotFound("Media not found in this session")
        content, media_type = _bytes(medium), _media_type(medium)
        if redirect:
            return RedirectResponse(links.link(session_id, content, media_type))
        return Response(content, media_type=media_type, headers=_headers(media_type))

    return router


def _media(session: Session) -> Iterator[JsonObject]:
    """Everything in the session's runs that has an id, a content and a type: neither messages nor tools have one."""
    for run in session.runs:
        for output in (run.output.run, *run.output.members):
            yield from _within(output)


def _within(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, list):
        for item in value:
            yield from _within(item)
    elif isinstance(value, dict):
        if isinstance(value.get("id"), str) and isinstance(value.get("content"), str) and value.get("mime_type"):
            yield value
        for item in value.values():
            yield from _within(item)


def _bytes(medium: JsonObject) -> bytes:
    """The content: text as it is, anything else from base64 (agno 3.1)."""
    content: str = medium["content"]
    if not str(medium["mime_type"]).startswith("text/"):
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error:
            pass  # documents such as JSON are kept as text
    return content.encode()


def _media_type(medium: JsonObject) -> str:
    """The type that the caller named, if browsers do not execute it."""
    named = str(medium["mime_type"]).partition(";")[0].strip().lower()
    return named if is_media_type(named) and named not in ACTIVE_TYPES else _OCTETS


def _headers(media_type: str) -> dict[str, str]:
    headers = {"X-Content-Type-Options": "nosniff"}
    return {**headers, "Content-Disposition": "attachment"} if media_type == _OCTETS else headers
