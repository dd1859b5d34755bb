"""The local WebSocket API: an ASGI app that turns connections and messages into events."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from local.functions.function import Function
from local.functions.invocation import InvocationFailed
from local.gateway.websocket_event import Handshake, connect_event, disconnect_event, message_event
from local.template.websocket_routes import route_key

MAX_MESSAGE_BYTES = 128 * 1024
MAX_FRAME_BYTES = 32 * 1024
"""API Gateway closes a connection that exceeds either with 1009.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

_UNSUPPORTED_DATA = 1003
"""The close code of API Gateway for a binary message."""
_NO_STATUS = 1005

logger = logging.getLogger(__name__)


class ConnectionGone(Exception):
    """There is no such connection, or it is not open yet."""


class OpenConnection:
    """A connection that messages can be posted to."""

    def __init__(self, connection_id: str, handshake: Handshake, send: Send) -> None:
        self.connection_id = connection_id
        self.handshake = handshake
        self.last_active_at = handshake.connected_at
        self._send = send
        self._sending = asyncio.Lock()

    async def post(self, text: str) -> None:
        """Send a message. Raises ``ConnectionGone``."""
        await self._emit({"type": "websocket.send", "text": text})
        self.last_active_at = time.time_ns() // 1_000_000

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection. Raises ``ConnectionGone``."""
        await self._emit({"type": "websocket.close", "code": code, "reason": reason})

    async def _emit(self, message: Message) -> None:
        async with self._sending:
            try:
                await self._send(message)
            except (OSError, RuntimeError) as error:  # what uvicorn raises once the connection is closed
                raise ConnectionGone(self.connection_id) from error


class WebSocketGateway:
    """A WebSocket API at one path. Messages of one client may be handled at the same time."""

    def __init__(self, path: str, routes: Mapping[str, str], functions: Mapping[str, Function]) -> None:
        """``routes``: route key -> name of a function."""
        self._path = path
        self._routes = routes
        self._functions = functions
        self._connections: dict[str, OpenConnection] = {}

    def connection(self, connection_id: str) -> OpenConnection:
        """An open connection. Raises ``ConnectionGone``."""
        try:
            return self._connections[connection_id]
        except KeyError:
            raise ConnectionGone(connection_id) from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        handshake = _handshake(scope)
        connection_id = uuid.uuid4().hex
        if scope["path"] != self._path or not await self._connect(connection_id, handshake):
            await send({"type": "websocket.close"})  # answers the handshake with 403
            return
        await send({"type": "websocket.accept"})
        connection = OpenConnection(connection_id, handshake, send)
        self._connections[connection_id] = connection
        try:
            code, reason = await self._receive(connection, receive)
        finally:
            del self._connections[connection_id]
        await self._invoke("$disconnect", disconnect_event(connection_id, handshake, code, reason))

    async def _receive(self, connection: OpenConnection, receive: Receive) -> tuple[int, str]:
        """Pass messages on until the connection is closed. Gives the close code and the reason."""
        async with asyncio.TaskGroup() as handling:
            while (message := await receive())["type"] == "websocket.receive":
                text = message.get("text")
                if text is None:
                    await connection.close(_UNSUPPORTED_DATA)
                else:
                    handling.create_task(self._handle(connection, text))
        return message.get("code") or _NO_STATUS, message.get("reason") or ""

    async def _connect(self, connection_id: str, handshake: Handshake) -> bool:
        answer = await self._invoke("$connect", connect_event(connection_id, handshake))
        return isinstance(answer, dict) and 200 <= int(answer.get("statusCode", 500)) < 300  # noqa: PLR2004

    async def _handle(self, connection: OpenConnection, text: str) -> None:
        key = route_key(self._routes, text)
        if key is None:
            return
        await self._invoke(key, message_event(connection.connection_id, connection.handshake, key, text))

    async def _invoke(self, key: str, event: dict[str, Any]) -> Any:
        """The answer of the route's function, or None if it fails."""
        try:
            return await self._functions[self._routes[key]].answer(event)
        except InvocationFailed as failure:
            logger.warning("%s failed: %s", key, failure)
            return None


def _handshake(scope: Scope) -> Handshake:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    source_ip = scope["client"][0] if scope.get("client") else "127.0.0.1"
    return Handshake(headers, source_ip, time.time_ns() // 1_000_000)
