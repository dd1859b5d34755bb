"""A server of tools on loopback, by the protocol's own SDK, and who is connected to it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pkgutil import resolve_name

from uvicorn import Config, Server

from tests.waiting import until


class ToolServer:
    """Has the tools ``double`` and ``wait``, the latter without an end."""

    def __init__(self, server: Server, port: int) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{port}/mcp"
        self.waiting = threading.Event()
        """Set when ``wait`` has been called."""

    def connections(self) -> int:
        """How many connections are open."""
        return len(self._server.server_state.connections)


@contextmanager
def tool_server() -> Iterator[ToolServer]:
    """Serves for as long as the context lasts."""
    tools = resolve_name("mcp.server:MCPServer")("tools")  # a second to import, in each process that looks for tests
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config(
        tools.streamable_http_app(), log_config=None, ws="none", timeout_keep_alive=600, timeout_graceful_shutdown=1
    )
    uvicorn = Server(config)
    server = ToolServer(uvicorn, listener.getsockname()[1])

    @tools.tool()
    def double(number: int) -> int:
        """Twice the number."""
        return 2 * number

    @tools.tool()
    async def wait() -> str:
        """Never answers."""
        server.waiting.set()
        await asyncio.Event().wait()
        return "never"

    thread = threading.Thread(target=lambda: asyncio.run(uvicorn.serve(sockets=[listener])))
    thread.start()
    until(lambda: uvicorn.started, 20)
    try:
        yield server
    finally:
        uvicorn.should_exit = True
        thread.join(20)


@contextmanager
def silent_tool_server(asked: Callable[[], None]) -> Iterator[tuple[str, threading.Event]]:
    """The URL of a server that takes a request and says nothing. The event is set when the client hangs up.

    ``asked`` is called when the request has come, in another thread.
    """
    hung_up = threading.Event()

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            asked()
            while connection.recv(65536):
                pass
            hung_up.set()

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", hung_up
    thread.join(5)
