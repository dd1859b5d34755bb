"""The HTTP and WebSocket server in front of the local API Gateway."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentos_lambda.aws.runtime.connection import read_in_small_buffers
from local.gateway.websocket import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES

_GRACE_SECONDS = 1
"""How long answers in progress may go on after the server was told to stop."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Http(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own has it
        read_in_small_buffers(transport)
        super().connection_made(transport)


@asynccontextmanager
async def http_server(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the app on a listening socket, for as long as the context lasts."""
    config = uvicorn.Config(
        app,
        http=_Http,
        ws="websockets-sansio",
        ws_max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES),  # type: ignore[arg-type]  # websockets takes both
        ws_per_message_deflate=False,  # API Gateway does not compress either
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # as to API Gateway, a client's X-Forwarded-For says nothing of where it is
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # uvicorn reports each answer that is cut off on purpose.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing" not in record.getMessage())
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
