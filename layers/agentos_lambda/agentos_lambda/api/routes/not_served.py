"""Operations of the AgentOS 3.1 API that are not served here: 501, so that a client can tell them from a wrong path."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from agentos_lambda.api.errors import ApiError

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
    """A route for each of them. They are not in the API's document."""
    router = APIRouter(include_in_schema=False)
    for path, methods in NOT_SERVED.items():
        router.add_route(path, _refuse, methods=list(methods), include_in_schema=False)
    return router


async def _refuse(_request: Request) -> Response:
    raise ApiError(501, "This operation of AgentOS is not served here")
