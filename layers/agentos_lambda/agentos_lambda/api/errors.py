"""One format for every error: ``{"detail": "…", "error_code": "…"}``, with ``errors`` for a 422."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentos_lambda.identity.errors import Forbidden
from agentos_lambda.protocol.errors import INTERNAL_ERROR
from agentos_lambda.runs.errors import (
    Conflict,
    InvalidRequest,
    LimitReached,
    NotFound,
    NotStorable,
    QueueFull,
    RunsError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from agentos_lambda.api.answers import Error, FieldError, InvalidFields

log = logging.getLogger(__name__)

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "SERVICE_UNAVAILABLE",
}
"""The ``error_code`` of a status, where an error has none of its own."""

RETRY_AFTER_SECONDS = 5

_STATUSES: Mapping[type[RunsError | Forbidden], int] = {
    Forbidden: 403,
    InvalidRequest: 400,
    NotFound: 404,
    Conflict: 409,
    NotStorable: 413,
    QueueFull: 429,
    LimitReached: 429,
}
"""Of errors that explain themselves to the caller. A subclass that is not named here has the status of its base."""


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, detail: str, *, error_code: str | None = None) -> None:
        """Without an ``error_code``: that of the status."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.error_code = error_code or CODES[status]


class FieldErrors(ApiError):
    """A 422 that names each field that is wrong."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        """``errors``: pairs of field and message, one at least."""
        super().__init__(422, "; ".join(f"{field}: {message}" for field, message in errors))
        self.errors: list[FieldError] = [{"field": field, "message": message} for field, message in errors]


def error_response(
    status: int,
    detail: str,
    error_code: str | None = None,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer in the one format."""
    body: Error | InvalidFields = {"detail": detail, "error_code": error_code or CODES.get(status, "BAD_REQUEST")}
    if errors:
        body = {**body, "errors": list(errors)}
    return JSONResponse(body, status, headers=headers)


def field_errors(error: ValidationError | RequestValidationError) -> FieldErrors:
    """What pydantic found, field by field, without the part of the request and without the value."""
    places = {"body", "query", "path", "header"}
    return FieldErrors(
        [
            (".".join(str(part) for part in found["loc"] if part not in places) or "body", str(found["msg"]))
            for found in error.errors()
        ]
    )


def add_error_handlers(app: FastAPI) -> None:
    """Make the app answer every expected error in the one format."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}

    @app.exception_handler(ApiError)
    async def _api_error(_request: Request, error: ApiError) -> JSONResponse:
        errors = error.errors if isinstance(error, FieldErrors) else ()
        return error_response(error.status, error.detail, error.error_code, errors=errors)

    @app.exception_handler(RequestValidationError)
    async def _invalid_parameters(request: Request, error: RequestValidationError) -> JSONResponse:
        return await _api_error(request, field_errors(error))

    @app.exception_handler(HTTPException)
    async def _http_error(_request: Request, error: HTTPException) -> JSONResponse:
        return error_response(error.status_code, str(error.detail), headers=error.headers)

    async def _runs_error(status: int, _request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, LimitReached):
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return error_response(status, str(error), "LIMIT_REACHED", headers=headers)
        return error_response(status, str(error), headers=retry if status == 429 else None)  # noqa: PLR2004

    for error_class, status in _STATUSES.items():
        app.add_exception_handler(error_class, partial(_runs_error, status))

    @app.exception_handler(StoreUnavailable)
    async def _unavailable(_request: Request, error: StoreUnavailable) -> JSONResponse:
        log.error("the store is unavailable", exc_info=error)
        return error_response(503, "The service is temporarily unavailable", headers=retry)


class ErrorEdge:
    """Turns an unexpected error into a 500 that reveals nothing of the inside. One of the edges that catch all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if started or scope["type"] != "http":
                raise
            log.exception("unhandled error", extra={"path": scope["path"]})
            await JSONResponse(INTERNAL_ERROR, 500)(scope, receive, send)
