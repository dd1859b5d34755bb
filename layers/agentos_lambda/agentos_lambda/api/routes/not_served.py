"""Operations of the AgentOS 3.1 API that are not served here: 501, so that a client can tell them from a wrong path."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property

from fastapi import APIRouter, Request, Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.responses import method_of, refusals_noted
from agentos_lambda.api.scope import principal_of
from agentos_lambda.identity.operations import operation
from agentos_lambda.identity.permissions import demand

NOT_SERVED: Mapping[str, tuple[str, ...]] = {
    "/agents/{id}/runs/{run_id}/checkpoints": ("GET",),
    "/agents/{id}/runs/{run_id}/checkpoints/{message_index}": ("GET",),
    "/agents/{id}/sessions/{session_id}/compact": ("POST",),
    "/agents/{id}/sessions/{session_id}/fork": ("POST",),
    "/teams/{id}/runs/{run_id}/checkpoints": ("GET",),
    "/teams/{id}/runs/{run_id}/checkpoints/{message_index}": ("GET",),
    "/teams/{id}/sessions/{session_id}/fork": ("POST",),
    "/approvals": ("GET",),
    "/approvals/count": ("GET",),
    "/approvals/{id}": ("GET", "DELETE"),
    "/approvals/{id}/resolve": ("POST",),
    "/approvals/{id}/status": ("GET",),
    "/components": ("GET", "POST"),
    "/components/{id}": ("GET", "PATCH", "DELETE"),
    "/components/{id}/configs": ("GET", "POST"),
    "/components/{id}/configs/current": ("GET",),
    "/components/{id}/configs/{version}": ("GET", "PATCH", "DELETE"),
    "/components/{id}/configs/{version}/set-current": ("POST",),
    "/components/{id}/restore": ("POST",),
    "/databases/all/migrate": ("POST",),
    "/databases/{id}/migrate": ("POST",),
    "/eval-runs": ("GET", "POST", "DELETE"),
    "/eval-runs/{id}": ("GET", "PATCH"),
    "/filesystem/content": ("GET",),
    "/filesystem/entries": ("GET",),
    "/filesystem/files": ("GET",),
    "/filesystem/search": ("GET",),
    "/knowledge/config": ("GET",),
    "/knowledge/content": ("GET", "POST", "DELETE"),
    "/knowledge/content/{id}": ("GET", "PATCH", "DELETE"),
    "/knowledge/content/{id}/refresh": ("POST",),
    "/knowledge/content/{id}/status": ("GET",),
    "/knowledge/remote-content": ("POST",),
    "/knowledge/search": ("POST",),
    "/knowledge/{id}/sources": ("GET",),
    "/knowledge/{id}/sources/{source_id}/files": ("GET",),
    "/learnings": ("GET", "POST"),
    "/learnings/users": ("GET",),
    "/learnings/users/{user_id}": ("DELETE",),
    "/learnings/{id}": ("GET", "PATCH", "DELETE"),
    "/metrics": ("GET",),
    "/metrics/refresh": ("POST",),
    "/metrics/refresh/status": ("GET",),
    "/queue/jobs": ("GET",),
    "/queue/jobs/{id}": ("GET",),
    "/queue/jobs/{id}/requeue": ("POST",),
    "/queue/stats": ("GET",),
    "/registry": ("GET",),
    "/schedules": ("GET", "POST"),
    "/schedules/{id}": ("GET", "PATCH", "DELETE"),
    "/schedules/{id}/disable": ("POST",),
    "/schedules/{id}/enable": ("POST",),
    "/schedules/{id}/runs": ("GET",),
    "/schedules/{id}/runs/{run_id}": ("GET",),
    "/schedules/{id}/trigger": ("POST",),
    "/trace_session_stats": ("GET",),
    "/traces": ("GET",),
    "/traces/filter-schema": ("GET",),
    "/traces/search": ("POST",),
    "/traces/{id}": ("GET",),
    "/users": ("GET", "POST"),
    "/users/metrics": ("GET",),
    "/users/{id}": ("GET", "PATCH", "DELETE"),
}
"""Path -> methods. What is served from now on is taken out."""


def not_served_router() -> APIRouter:
    """All of them. They are not in the API's document."""
    return APIRouter(routes=[_NotServed()])


class _NotServed(BaseRoute):
    """The routes of all of them, made when a request comes that no other route takes."""

    @cached_property
    def _router(self) -> Router:
        routes = [Route(path, _refusing(path), methods=list(methods)) for path, methods in NOT_SERVED.items()]
        return Router(routes, redirect_slashes=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return max((route.matches(scope) for route in self._router.routes), key=lambda match: match[0].value)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)


def _refusing(path: str) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(request: Request) -> Response:
        """Whoever may not do it gets 403, as from AgentOS."""
        method = method_of(request)
        demanded = operation(method, path)
        with refusals_noted(request, f"{method} {path}"):
            demand(principal_of(request.scope), demanded, request.path_params["id"] if demanded.kind else None)
        raise ApiError(501, "This operation of AgentOS is not served here")

    return refuse
