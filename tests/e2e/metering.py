"""What functions ask of other services, counted on its way: a proxy between them and the cloud."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.e2e import emulator

READS = {"GetItem", "Query"}


class Meter:
    """Counts requests by service and operation and, while it is measuring, DynamoDB's capacity units. Of any thread."""

    url: str
    cloud: str
    """URL of the cloud behind it; set once that runs."""

    def __init__(self) -> None:
        self.measures = False
        self._lock = threading.Lock()
        self._counted: dict[str, float] = defaultdict(float)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Count units, too. Policies of roles are not enforced on what is measured."""
        self.measures = True
        try:
            yield
        finally:
            self.measures = False

    def add(self, what: str, how_many: float = 1) -> None:
        with self._lock:
            self._counted[what] += how_many

    def take(self) -> dict[str, float]:
        """What was counted since this was asked last."""
        with self._lock:
            counted, self._counted = self._counted, defaultdict(float)
        return dict(counted)


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    meter: Meter

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service, operation = self._asks()
        measured = self.meter.measures and service == "DynamoDB"
        if measured:
            body = json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode()
            self._sign_as_administrator()
        status, headers, answer = self._forward(body)
        self.meter.add(f"{service} {operation}")
        if measured:
            self._count_units(operation, json.loads(answer))
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815 - http.server's names

    def _asks(self) -> tuple[str, str]:
        target = self.headers.get("X-Amz-Target", "")
        if target:
            version, _, operation = target.partition(".")
            return version.removeprefix("Amazon").partition("_")[0], operation
        return ("connections", "post") if "/@connections/" in self.path else ("S3", self.command)

    def _sign_as_administrator(self) -> None:
        """The body has changed, so the function's signature is none any more; the administrator's is not looked at."""
        scope = f"{emulator.ACCESS['AWS_ACCESS_KEY_ID']}/20250101/{emulator.ACCESS['AWS_DEFAULT_REGION']}/dynamodb"
        del self.headers["Authorization"], self.headers["X-Amz-Security-Token"]
        self.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request, SignedHeaders=host, Signature=none"
        )

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection(urlsplit(self.meter.cloud).netloc)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _count_units(self, operation: str, answer: dict[str, Any]) -> None:
        consumed = answer.get("ConsumedCapacity", [])
        kind = "read units" if operation in READS else "write units"
        for each in consumed if isinstance(consumed, list) else [consumed]:
            self.meter.add(kind, each["CapacityUnits"])

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


@contextmanager
def metered() -> Iterator[Meter]:
    """A meter that runs, for functions to ask instead of the cloud."""
    meter = Meter()
    proxy = type("Proxy", (_Proxy,), {"meter": meter})
    with ThreadingHTTPServer(("127.0.0.1", 0), proxy) as server:
        meter.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield meter
        finally:
            server.shutdown()
