"""Who is asking: found out before anything else in a request is looked at. What they may do, the routes ask."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agentos_lambda.api.errors import RETRY_AFTER_SECONDS, error_response
from agentos_lambda.api.pages.files import CHAT_TYPES, MEDIA_TYPES
from agentos_lambda.api.scope import PRINCIPAL_KEY, route_path
from agentos_lambda.identity import audit
from agentos_lambda.identity.authority import Authority
from agentos_lambda.identity.errors import Forbidden, IdentityError, KeysUnavailable, Unauthorized
from agentos_lambda.runs.errors import StoreUnavailable

OPEN_PATHS = frozenset({"/", "/health", "/info", "/docs", "/redoc", "/openapi.json", "/chat"}) | {
    *(f"/docs/{name}" for name in MEDIA_TYPES),
    *(f"/chat/{name}" for name in CHAT_TYPES),
}
"""Paths that never need a key or a token (the AgentOS 3.1 API), and the files of its pages."""


def bearer_token(authorization: str) -> str:
    """The token of an ``Authorization`` header. A token without a scheme counts, as in AgentOS."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization.strip()


class Authentication:
    """ASGI middleware: puts the principal into the scope. 401 without credentials, where they are needed."""

    def __init__(self, app: ASGIApp, *, authority: Authority) -> None:
        self._app = app
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        closed = scope["type"] == "http" and route_path(scope) not in OPEN_PATHS
        refusal = await self._refusal(scope) if closed else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            status, detail = refusal
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None  # noqa: PLR2004
            await error_response(status, detail, headers=headers)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        authorization = Headers(scope=scope).get("authorization")
        token = bearer_token(authorization) if authorization is not None else None
        try:
            scope[PRINCIPAL_KEY] = await run_in_threadpool(self._authority.principal, token)
        except Unauthorized as refusal:
            return self._refused(scope, 401, refusal)
        except Forbidden as refusal:
            return self._refused(scope, 403, refusal)
        except KeysUnavailable:
            return 503, "Tokens cannot be verified at present"
        except StoreUnavailable:
            return 503, "The security key cannot be read"
        return None

    def _refused(self, scope: Scope, status: int, refusal: IdentityError) -> tuple[int, str]:
        if self._authority.audits:
            audit.refused(None, f"{scope['method']} {route_path(scope)}", str(refusal))
        return status, str(refusal)
