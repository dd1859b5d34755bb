"""Where a Runtime API is, and connections to it that are used more than once."""

from __future__ import annotations

import asyncio
import select
from dataclasses import dataclass

_VERSION = "/2018-06-01/runtime"

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


def is_over(socket: int) -> bool:
    """Whether the server has closed a connection on which nothing is awaited. ``socket``: its file descriptor."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


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
        return await asyncio.open_connection(self.address.host, self.address.port)

    def keep(self, streams: Streams) -> None:
        """Keep it for the next answer. Nothing of this one may be left in it."""
        self._kept = streams
