"""One format for every error: ``{"detail": "…", "error_code": "…"}``, and ``errors`` behind a 422."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentos_lambda.runs.errors import Conflict, InvalidRequest, NotFound, NotStorable, QueueFull, StoreUnavailable

log = logging.getLogger(__name__)

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    422: "VALIDATION_ERROR",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
RETRY_AFTER = "5"
"""Seconds."""

INTERNAL = "Internal server error"


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, detail: str, *, error_code: str | None = None) -> None:
        """``error_code``: the status's own if none is given."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.error_code = error_code or _CODES[status]


class FieldErrors(ApiError):
    """A 422 that names each field that is wrong."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        """``errors``: pairs of field and message, one at least."""
        super().__init__(422, "; ".join(f"{field}: {message}" for field, message in errors))
        self.errors = [{"field": field, "message": message} for field, message in errors]


def error_response(
    status: int,
    detail: str,
    error_code: str | None = None,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer in the one format."""
    body: dict[str, object] = {"detail": detail, "error_code": error_code or _CODES.get(status, "BAD_REQUEST")}
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, headers=headers)


def field_errors(error: ValidationError | RequestValidationError) -> FieldErrors:
    """Pydantic's findings, a field each, without where in a request it was and without the value."""
    places = {"body", "query", "path", "header"}
    return FieldErrors(
        [
            (".".join(str(part) for part in found["loc"] if part not in places) or "body", str(found["msg"]))
            for found in error.errors()
        ]
    )


def add_error_handlers(app: FastAPI) -> None:
    """Make the app answer every expected error in the one format."""

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

    @app.exception_handler(InvalidRequest)
    async def _invalid_request(_request: Request, error: InvalidRequest) -> JSONResponse:
        status = {NotFound: 404, Conflict: 409, QueueFull: 429}.get(type(error), 400)
        headers = {"Retry-After": RETRY_AFTER} if status == 429 else None  # noqa: PLR2004
        return error_response(status, str(error), headers=headers)

    @app.exception_handler(StoreUnavailable)
    async def _unavailable(_request: Request, error: StoreUnavailable) -> JSONResponse:
        log.error("the store is unavailable", exc_info=error)
        return error_response(503, "The service is temporarily unavailable", headers={"Retry-After": RETRY_AFTER})

    @app.exception_handler(NotStorable)
    async def _not_storable(_request: Request, error: NotStorable) -> JSONResponse:
        return error_response(413, str(error))


class ErrorEdge:
    """Where what nobody expected becomes a 500 that tells nothing of the inside. One of the edges that catch all."""

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
            await error_response(500, INTERNAL)(scope, receive, send)
