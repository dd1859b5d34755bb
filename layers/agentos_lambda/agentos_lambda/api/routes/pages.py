"""The API document and the pages that show it. They load nothing from elsewhere: a reader types the key into them."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import JSONResponse

from agentos_lambda.api.scope import prefix
from agentos_lambda.protocol.values import JsonObject

_NO_ICON = "data:,"


def add_pages(router: APIRouter, title: str, document: Callable[[], JsonObject]) -> None:
    """``/openapi.json`` with the server that was asked, ``/docs`` and ``/redoc``."""

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        return JSONResponse({**document(), "servers": [{"url": prefix(request.scope) or "/"}]})

    @router.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:
        return _swagger_page(f"{prefix(request.scope)}/openapi.json", title)

    @router.get("/redoc", include_in_schema=False)
    def redoc(request: Request) -> Response:
        return _redoc_page(f"{prefix(request.scope)}/openapi.json", title)


def _swagger_page(document_url: str, title: str) -> Response:
    """Swagger UI, in one file."""
    return get_swagger_ui_html(
        openapi_url=document_url,
        title=title,
        swagger_js_url=_data_url("swagger-ui-bundle.js", "text/javascript"),
        swagger_css_url=_data_url("swagger-ui.css", "text/css"),
        swagger_favicon_url=_NO_ICON,
    )


def _redoc_page(document_url: str, title: str) -> Response:
    """ReDoc, in one file."""
    return get_redoc_html(
        openapi_url=document_url,
        title=title,
        redoc_js_url=_data_url("redoc.standalone.js", "text/javascript"),
        redoc_favicon_url=_NO_ICON,
        with_google_fonts=False,
    )


@cache
def _data_url(name: str, media_type: str) -> str:
    """A file of the package ``fastapi_offline``, which is looked up and not imported."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("fastapi_offline, a requirement of the web layer, is not installed")
    content = Path(spec.origin).with_name("static").joinpath(name).read_bytes()
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
