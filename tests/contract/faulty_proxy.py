"""A proxy in front of a stack, with one fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

BUFFERS = "collects an answer before it passes it on"
DROPS_CORS = "drops the headers of CORS"
OWN_ERRORS = "replaces errors by pages of its own"
SPOILS_UPLOADS = "changes a byte of an upload"
CANCELS = "cancels the run of a client that goes away"
CUTS_STREAMS = "cuts a stream before its last event"
REFUSES = "has no route for what changes something"

_HOP = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}


@contextmanager
def proxy(upstream: str, fault: str) -> Iterator[str]:
    """Gives its URL."""

    class Handler(_Handler):
        _upstream, _fault = upstream, fault

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    _upstream: str
    _fault: str

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if self._fault == SPOILS_UPLOADS:
            body = body.replace(b"smoke\nsmoke", b"smoke\rsmoke", 1)
        if self._fault == REFUSES and self.command in ("POST", "DELETE"):
            self._answer(httpx.Response(405), [b""])
            return
        url = self._upstream + self.path
        with httpx.stream(self.command, url, content=body, headers=headers, timeout=60) as answer:
            if self._fault == OWN_ERRORS and answer.status_code >= 400:
                self._answer(httpx.Response(answer.status_code), [b"<h1>Something went wrong</h1>"])
                return
            try:
                self._answer(answer, self._chunks(answer))
            except ConnectionError:
                if self._fault == CANCELS and (run := re.search(rb"run_id=([\w-]+)", body)):
                    httpx.post(f"{url}/{run[1].decode()}/cancel")

    def _chunks(self, answer: httpx.Response) -> Iterator[bytes]:
        if self._fault == BUFFERS:
            yield answer.read()
        elif self._fault == CUTS_STREAMS and "event-stream" in answer.headers.get("content-type", ""):
            yield answer.read().rpartition(b"event: ")[0]
        else:
            yield from answer.iter_raw()

    def _answer(self, answer: httpx.Response, chunks: Iterator[bytes] | list[bytes]) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name not in _HOP and not (self._fault == DROPS_CORS and name.startswith("access-control-")):
                self.send_header(name, value)
        self.end_headers()  # HTTP/1.0: the end of the connection is that of the answer
        for chunk in chunks:
            self.wfile.write(chunk)

    do_GET = do_POST = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815 - as the base class names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""
