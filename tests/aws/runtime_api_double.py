"""A Lambda Runtime API that hands out what a test gives it, and tells piece by piece what it got."""

import json
import queue
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.waiting import PATIENCE_SECONDS


@dataclass
class Answer:
    """A POST of the runtime."""

    path: str
    headers: dict[str, str]
    chunks: "queue.Queue[bytes | None]" = field(default_factory=queue.Queue)
    """The body as it came, None at its end."""
    trailers: dict[str, str] = field(default_factory=dict)

    def chunk(self) -> bytes | None:
        return self.chunks.get(timeout=PATIENCE_SECONDS)

    def body(self) -> bytes:
        return b"".join(iter(self.chunk, None))


class RuntimeApiDouble:
    def __init__(self) -> None:
        self._events: queue.Queue[tuple[str, bytes, dict[str, str]]] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self.status = 202
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are written apart, to a connection that is kept

            def log_message(self, *_args):
                pass

            def do_GET(self):
                request_id, payload, headers = double._events.get()
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def do_POST(self):
                answer = Answer(self.path, {name.lower(): value for name, value in self.headers.items()})
                double._answers.put(answer)
                if answer.headers.get("transfer-encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        answer.chunks.put(self.rfile.read(size))
                        self.rfile.read(2)
                    while line := self.rfile.readline().strip().decode():
                        name, _, value = line.partition(": ")
                        answer.trailers[name.lower()] = value
                else:
                    answer.chunks.put(self.rfile.read(int(answer.headers["content-length"])))
                answer.chunks.put(None)
                self.send_response(double.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"

    def send(self, event, *, request_id="request-1", **headers: str) -> None:
        headers = {"Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60_000), **headers}
        self._events.put((request_id, json.dumps(event).encode(), headers))

    def answer(self) -> Answer:
        return self._answers.get(timeout=PATIENCE_SECONDS)

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
