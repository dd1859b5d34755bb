"""The API document, the pages that show it, and their files."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from agentos_lambda.api.pages import chat
from agentos_lambda.api.pages.files import CHAT_TYPES, MEDIA_TYPES, NotBuilt, page_file
from agentos_lambda.api.pages.html import HEADERS, redoc_page, swagger_page
from agentos_lambda.api.scope import prefix, takes_bytes
from agentos_lambda.protocol.values import JsonObject
from agentos_lambda.runs.errors import NotFound

_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
"""For a year: pages name files by their version."""


def add_pages(router: APIRouter, name_of_os: str, document: Callable[[], JsonObject]) -> None:
    """``/openapi.json`` with the server that was asked, ``/docs``, ``/redoc``, ``/chat``, and these pages' files."""
    title = f"{name_of_os} - API"

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        return JSONResponse({**document(), "servers": [{"url": prefix(request.scope) or "/"}]})

    @router.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return HTMLResponse(swagger_page(prefix(request.scope), title), headers=HEADERS)

    @router.get("/redoc", include_in_schema=False)
    def redoc(request: Request) -> Response:
        return HTMLResponse(redoc_page(prefix(request.scope), title), headers=HEADERS)

    @router.get("/chat", include_in_schema=False)
    def chat_page(request: Request) -> Response:
        try:
            return HTMLResponse(chat.chat_page(prefix(request.scope), name_of_os), headers=chat.HEADERS)
        except NotBuilt as missing:
            raise NotFound(str(missing)) from missing

    for name in CHAT_TYPES:
        router.add_api_route(f"/chat/{name}", _file(name), include_in_schema=False)
    for name in MEDIA_TYPES:
        router.add_api_route(f"/docs/{name}", _file(name), include_in_schema=False)


def _file(name: str) -> Callable[[Request], Response]:
    def file(request: Request) -> Response:
        return _answer(name, request)

    return file


def _answer(name: str, request: Request) -> Response:
    """Gzipped, if the client and what is between can take that."""
    try:
        found = page_file(name)
    except NotBuilt as missing:
        raise NotFound(str(missing)) from missing
    headers = {**_KEPT, "ETag": f'"{found.version}"', "Vary": "Accept-Encoding"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if takes_bytes(request.scope) and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(gzip.decompress(found.compressed), headers=headers, media_type=found.media_type)
