"""API Gateway's management API without a WebSocket: it prints what a client would receive."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def printed_posts(show: Callable[[str], None]) -> Starlette:
    """An ASGI app with ``POST`` and ``DELETE /@connections/{connection_id}``. It accepts every message to every
    connection."""

    async def post(request: Request) -> Response:
        text = (await request.body()).decode().strip().replace("\n", " ")
        show(f"to {request.path_params['connection_id']}: {text}")
        return Response()

    async def delete(request: Request) -> Response:
        show(f"closes {request.path_params['connection_id']}")
        return Response(status_code=204)

    path = "/@connections/{connection_id}"
    return Starlette(routes=[Route(path, post, methods=["POST"]), Route(path, delete, methods=["DELETE"])])
