"""The apps: a router, the errors' one format, authentication and CORS around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from agentos_lambda.api.auth import Authentication
from agentos_lambda.api.context import Services
from agentos_lambda.api.cors import DEFAULT_ORIGINS, Cors
from agentos_lambda.api.errors import ErrorEdge, add_error_handlers
from agentos_lambda.api.scope import route_path


class StripTrailingSlash:
    """ASGI middleware: ``/agents/`` is ``/agents``, without a redirect (the AgentOS 3.1 API)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/") and route_path(scope) != "/":
            scope = {**scope, "path": scope["path"].removesuffix("/")}
        await self._app(scope, receive, send)


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
    app = FastAPI(
        routes=router.routes,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(AtEnd, wait=at_end),
            Middleware(Cors, origins=services.cors_origins or DEFAULT_ORIGINS),
            Middleware(ErrorEdge),
            Middleware(StripTrailingSlash),
            Middleware(Authentication, authority=services.authority),
        ],
    )
    add_error_handlers(app)
    return app
