"""Who is asking: found out before anything else in a request is looked at. What they may do, the routes ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agentos_lambda.api.errors import RETRY_AFTER_SECONDS, error_response
from agentos_lambda.api.pages.files import CHAT_TYPES, MEDIA_TYPES
from agentos_lambda.api.scope import PRINCIPAL_KEY, STILL_COUNTS_KEY, route_path
from agentos_lambda.identity import audit
from agentos_lambda.identity.authority import Authority
from agentos_lambda.identity.errors import (
    AccountsUnavailable,
    Forbidden,
    IdentityError,
    KeysUnavailable,
    TooManyFailures,
    WrongAccount,
)
from agentos_lambda.runs.errors import StoreUnavailable

OPEN_PATHS = frozenset({"/", "/health", "/info", "/docs", "/redoc", "/openapi.json", "/chat"}) | {
    *(f"/docs/{name}" for name in MEDIA_TYPES),
    *(f"/chat/{name}" for name in CHAT_TYPES),
}
"""Paths that never need a key or a token (the AgentOS 3.1 API), and the files of its pages."""

_STATUSES: Mapping[type[IdentityError], int] = {Forbidden: 403, TooManyFailures: 429}
"""Of refusals that are not a 401."""
_UNAVAILABLE: Mapping[type[StoreUnavailable], str] = {
    KeysUnavailable: "Tokens cannot be verified at present",
    AccountsUnavailable: "Authentication is temporarily unavailable",
}
_RETRY_AFTER = {429: 60, 503: RETRY_AFTER_SECONDS}
"""Seconds, by status."""


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
            headers = {"Retry-After": str(_RETRY_AFTER[status])} if status in _RETRY_AFTER else None
            await error_response(status, detail, headers=headers)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        authorization = Headers(scope=scope).get("authorization")
        token = bearer_token(authorization) if authorization is not None else None
        source = scope["client"][0] if scope.get("client") else None
        try:
            principal = self._authority.known(token)
            if principal is None:
                principal = await asyncio.to_thread(self._authority.principal, token, source)
        except IdentityError as refusal:
            return self._refused(scope, refusal)
        except StoreUnavailable as failure:
            return 503, _UNAVAILABLE.get(type(failure), "The security key cannot be read")
        scope[PRINCIPAL_KEY] = principal
        if principal.account_id is not None:
            scope[STILL_COUNTS_KEY] = partial(self._authority.still_counts, principal)
        return None

    def _refused(self, scope: Scope, refusal: IdentityError) -> tuple[int, str]:
        if self._authority.audits or isinstance(refusal, WrongAccount | TooManyFailures):
            audit.refused(None, f"{scope['method']} {route_path(scope)}", str(refusal))
        return _STATUSES.get(type(refusal), 401), str(refusal)
