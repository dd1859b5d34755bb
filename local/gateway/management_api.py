"""API Gateway's management API, which sends messages to connections.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gateway.websocket import MAX_MESSAGE_BYTES, ConnectionGone, WebSocketGateway


def management_api(gateway: WebSocketGateway) -> Starlette:
    """An ASGI app with ``POST``, ``GET`` and ``DELETE /{connection_id}``, below ``/@connections``."""

    async def post(request: Request) -> Response:
        connection = gateway.connection(request.path_params["connection_id"])
        body = await request.body()
        if len(body) > MAX_MESSAGE_BYTES:
            return _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PayloadTooLargeException", "The payload is too large")
        await connection.post(body.decode())
        return Response()

    async def get(request: Request) -> Response:
        connection = gateway.connection(request.path_params["connection_id"])
        handshake = connection.handshake
        return JSONResponse(
            {
                "connectedAt": _time(handshake.connected_at),
                "lastActiveAt": _time(connection.last_active_at),
                "identity": {"sourceIp": handshake.source_ip, "userAgent": dict(handshake.headers).get("user-agent")},
            }
        )

    async def delete(request: Request) -> Response:
        await gateway.connection(request.path_params["connection_id"]).close()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    methods: dict[str, Callable[[Request], Awaitable[Response]]] = {"POST": post, "GET": get, "DELETE": delete}
    return Starlette(
        routes=[Route("/{connection_id}", endpoint, methods=[method]) for method, endpoint in methods.items()],
        exception_handlers={ConnectionGone: _gone},
    )


def _gone(_request: Request, _gone: Exception) -> Response:
    return _error(HTTPStatus.GONE, "GoneException", "The connection is gone")


def _error(status: HTTPStatus, error_type: str, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers={"x-amzn-ErrorType": error_type})


def _time(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))
