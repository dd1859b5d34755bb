"""Servers of files on loopback that the fetcher takes for public ones: the names resolve to addresses of this table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import httpcore

from agentos_lambda.media.addresses import Address

PUBLIC = "93.184.216.34"

Answer = Callable[[BaseHTTPRequestHandler], None]


def file(content: bytes = b"content", content_type: str = "image/png", **headers: str) -> Answer:
    """Answers with a file."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", content_type)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    """Answers with a redirect."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Location", location)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


class Network:
    """The network as the fetcher sees it: names with addresses, and every public address leads to one server here."""

    def __init__(self, names: dict[str, Sequence[Sequence[str]]], port: int) -> None:
        """``names``: for each name the addresses that it has at the first look-up, at the second, and so on."""
        self._names = {name: list(looks) for name, looks in names.items()}
        self._port = port
        self._sockets = httpcore.AnyIOBackend()
        self.connected: list[tuple[str, int]] = []

    async def resolve(self, host: str, port: int) -> list[Address]:
        looks = self._names.get(host)
        if looks is None:
            return [ip_address(host)]
        return [ip_address(address) for address in (looks.pop(0) if len(looks) > 1 else looks[0])]

    async def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> object:
        self.connected.append((host, port))
        assert host == PUBLIC, f"the fetcher connected to {host}"
        return await self._sockets.connect_tcp("127.0.0.1", self._port, *more, **options)

    async def sleep(self, seconds: float) -> None:
        await self._sockets.sleep(seconds)


@contextmanager
def file_server(answers: dict[str, Answer]) -> Iterator[tuple[int, list[str]]]:
    """A server of these paths: its port, and the paths that were asked for, in their order."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answers[self.path.partition("?")[0]](self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
