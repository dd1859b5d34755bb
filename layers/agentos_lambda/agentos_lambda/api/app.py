"""The apps: a router, the errors' one format, the key and CORS around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from agentos_lambda.api.auth import Authentication
from agentos_lambda.api.context import Services
from agentos_lambda.api.errors import ErrorEdge, add_error_handlers, error_response
from agentos_lambda.api.scope import route_path

DEFAULT_ORIGINS = (
    "http://localhost:3000",
    "https://agno.com",
    "https://www.agno.com",
    "https://app.agno.com",
    "https://os.agno.com",
    "https://os-stg.agno.com",
)
"""Origins that AgentOS 3.1 lets in by default."""


class StripTrailingSlash:
    """ASGI middleware: ``/agents/`` is ``/agents``, without a redirect (the AgentOS 3.1 API)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/") and route_path(scope) != "/":
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        await self._app(scope, receive, send)


class Cors(CORSMiddleware):
    """Starlette's, with refused preflights in the errors' one format."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:  # noqa: PLR2004
            return answer
        headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return error_response(answer.status_code, bytes(answer.body).decode(), headers=headers)


class AtEnd:
    """ASGI middleware: waits for something before a request counts as over, whatever becomes of its answer."""

    def __init__(self, app: ASGIApp, *, wait: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._wait = wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            await self._wait()


async def _nothing() -> None:
    """What an app waits for if its requests leave nothing behind."""


def create_app(router: APIRouter, services: Services, *, at_end: Callable[[], Awaitable[None]] = _nothing) -> FastAPI:
    """An app with these routes. Each request is over when ``at_end`` is, even if its client has disconnected."""
    origins = [origin for origin in services.cors_origins or DEFAULT_ORIGINS if origin != "*"]
    app = FastAPI(
        routes=router.routes,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(AtEnd, wait=at_end),
            Middleware(
                Cors,
                allow_origins=origins,
                allow_credentials=True,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=["*"],
            ),
            Middleware(ErrorEdge),
            Middleware(StripTrailingSlash),
            Middleware(Authentication, key=services.key),
        ],
    )
    add_error_handlers(app)
    return app
