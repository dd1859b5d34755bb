"""A proxy in front of the local cloud that counts what a function asks of DynamoDB.

It has DynamoDB say how many capacity units a request takes, which changes the request: its signature is not looked at.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}
_DYNAMODB = "DynamoDB_20120810"
_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"})


class Counted:
    """Requests to DynamoDB, the bytes of their bodies in both directions, and their capacity units."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()

    def add(self, **numbers: float) -> None:
        """More of these."""
        with self._lock:
            self._sums.update(numbers)

    def taken(self) -> Mapping[str, float]:
        """``requests``, ``bytes``, ``read_units`` and ``write_units`` since the last time."""
        with self._lock:
            found, self._sums = self._sums, Counter()
        return found


@contextmanager
def counting_proxy(cloud_url: str) -> Iterator[tuple[str, Counted]]:
    """The URL to ask instead of the cloud's, and what was counted."""
    counted, upstream = Counted(), urlsplit(cloud_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            version, _, operation = (self.headers.get("x-amz-target") or "").partition(".")
            asks_dynamodb = version == _DYNAMODB
            sent = (
                json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode() if asks_dynamodb else body
            )
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection = http.client.HTTPConnection(upstream, timeout=60)
            connection.request(self.command, self.path, sent, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if asks_dynamodb:
                units = "read_units" if operation in _READS else "write_units"
                counted.add(requests=1, bytes=len(body) + len(content), **{units: _units(content)})
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


def _units(answer: bytes) -> float:
    """All that an answer says it has consumed."""
    consumed = json.loads(answer or b"{}").get("ConsumedCapacity", [])
    return float(sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed])))
