"""Where a Runtime API is, and connections to it that are used more than once."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from agentos_lambda.aws.runtime.http1 import Head, Received, read_answer

_VERSION = "/2018-06-01/runtime"
_READ_BYTES = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Runtime API is."""

    host: str
    port: int
    root: str
    """What stands before each path."""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Lambda names its Runtime API ``host:port``. Emulators may name a URL with a path."""
        authority, _, path = text.removeprefix("http://").partition("/")
        host, _, port = authority.rpartition(":")
        return cls(host, int(port), f"/{path.rstrip('/')}{_VERSION}" if path else _VERSION)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def is_over(descriptor: int) -> bool:
    """Whether the server has closed a connection on which nothing is awaited. ``descriptor``: of its socket."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class Connection:
    """A connection for one request after the other, if the server keeps it open."""

    def __init__(self, address: Endpoint) -> None:
        self._address = address
        self._kept: socket.socket | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the next request goes over a connection that there is."""
        return self._kept is not None

    def ask(self, method: str, path: str, fields: Mapping[str, str], body: bytes | None = None) -> tuple[Head, bytes]:
        """The answer to a request and its body. ``path`` is from the server's root. Raises ``OSError``."""
        length = {} if body is None else {"Content-Length": str(len(body))}
        fields = {"Host": str(self._address), "Accept-Encoding": "identity", **length, **fields}
        request = head_of_request(f"{method} {path}", fields) + (body or b"")
        connection = self._take()
        try:
            connection.sendall(request)
            received = Received(connection.recv)
            head, answer = read_answer(received)
        except OSError:
            connection.close()
            raise
        if head.keeps_connection and received.is_empty():
            self._kept = connection
        else:
            connection.close()
        return head, answer

    def _take(self) -> socket.socket:
        kept, self._kept = self._kept, None
        if kept is not None:
            if not is_over(kept.fileno()):
                return kept
            kept.close()
        # No timeout: the environment may be frozen for hours inside a call.
        connection = socket.create_connection((self._address.host, self._address.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def head_of_request(request: str, fields: Mapping[str, str]) -> bytes:
    """``request``: method and target."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{request} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def read_in_small_buffers(transport: asyncio.BaseTransport) -> None:
    """Have asyncio read up to 64 KiB at once from this connection.

    It would make room for 256 KiB, which malloc maps for each read and unmaps after it: that takes longer than to read.
    """
    transport.max_size = _READ_BYTES  # type: ignore[attr-defined]  # asyncio's transports of sockets have it


class StreamConnection:
    """A connection for streamed answers, which serves the next one, too, if the server keeps it open."""

    def __init__(self, address: Endpoint) -> None:
        self.address = address
        self._kept: Streams | None = None

    async def take(self) -> Streams:
        """The connection that was kept, or a new one. Raises ``OSError``."""
        kept, self._kept = self._kept, None
        if kept is not None:
            writer = kept[1]
            # A reset while the loop ran has closed the socket itself.
            if not writer.is_closing() and not is_over(writer.get_extra_info("socket").fileno()):
                return kept
            writer.close()
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        read_in_small_buffers(writer.transport)
        return reader, writer

    def keep(self, streams: Streams) -> None:
        """Keep it for the next answer. Nothing of this one may be left in it."""
        self._kept = streams
