"""A server on loopback that plays the answers of a provider of models, and sees when its client goes away."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE_SECONDS = 20.0
"""For which a silence lasts at most: a test that fails does not hang."""


class Line(Enum):
    """What may happen to the connection between two pieces of an answer."""

    SILENCE = "nothing more comes, until the client goes away"
    CUT = "the connection is closed in the middle of the answer"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``pieces`` are sent one by one, each as a chunk."""

    pieces: list[bytes | Line]
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Provider:
    """What the server does: it plays ``answers`` in their order, the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """As if nobody had asked anything yet."""
        self.answers: list[Answer | Callable[[Asked], Answer]] = []
        self.asked: list[Asked] = []
        self.abandoned = threading.Event()
        """Set when a client has gone away in the middle of an answer."""

    def next_answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Answer) else answer(asked)


@contextmanager
def served() -> Iterator[Provider]:
    """A provider that listens on a free port of loopback."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.provider.next_answer(Asked(self.path, dict(self.headers), body))
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in answer.pieces:
            if piece is Line.SILENCE:
                self._be_silent()
            if isinstance(piece, Line):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _be_silent(self) -> None:
        readable, _, _ = select.select([self.connection], [], [], DEADLINE_SECONDS)
        if readable:  # a client that waits for an answer sends nothing: it has closed its side
            self.provider.abandoned.set()

    def log_message(self, *_: object) -> None:
        """Nothing."""
