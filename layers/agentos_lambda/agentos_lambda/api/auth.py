"""The security key: checked before anything else in a request."""

from __future__ import annotations

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agentos_lambda.api.errors import error_response
from agentos_lambda.api.pages.files import MEDIA_TYPES
from agentos_lambda.api.scope import route_path
from agentos_lambda.protocol.security_key import KeySource, admits, same_key
from agentos_lambda.runs.errors import StoreUnavailable

OPEN_PATHS = frozenset({"/", "/health", "/info", "/docs", "/redoc", "/openapi.json"}) | {
    f"/docs/{name}" for name in MEDIA_TYPES
}
"""Paths that never need a key (the AgentOS 3.1 API), and the files of its pages."""


def bearer_token(authorization: str) -> str:
    """The token of an ``Authorization`` header. A token without a scheme counts, as in AgentOS."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization.strip()


class Authentication:
    """ASGI middleware: 401 for a request without the key, where one is configured."""

    def __init__(self, app: ASGIApp, *, key: KeySource) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        closed = scope["type"] == "http" and route_path(scope) not in OPEN_PATHS
        refusal = await self._refusal(scope) if closed else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(*refusal)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        try:
            if await run_in_threadpool(self._key) is None:
                return None
            authorization = Headers(scope=scope).get("authorization")
            if authorization is None:
                return 401, "Authorization header required"
            token = bearer_token(authorization)
            admitted = await run_in_threadpool(admits, self._key, partial(same_key, token))
        except StoreUnavailable:
            return 503, "The security key cannot be read"
        return None if admitted else (401, "Invalid authentication token")
