"""A proxy in front of the local cloud that counts what a function asks of DynamoDB."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}
_DYNAMODB = "DynamoDB_20120810."


@dataclass
class Counted:
    """Requests to DynamoDB, and the bytes of their bodies in both directions."""

    requests: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += size

    def taken(self) -> tuple[int, int]:
        """Requests and bytes since the last time."""
        with self._lock:
            found = self.requests, self.bytes
            self.requests = self.bytes = 0
            return found


@contextmanager
def counting_proxy(cloud_url: str) -> Iterator[tuple[str, Counted]]:
    """The URL to ask instead of the cloud's, and what was counted."""
    counted, upstream = Counted(), urlsplit(cloud_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            connection = http.client.HTTPConnection(upstream, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if (self.headers.get("x-amz-target") or "").startswith(_DYNAMODB):
                counted.add(len(body) + len(content))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815 - their names are http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: the bench prints its own lines."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", counted
        finally:
            server.shutdown()
