"""Messages through API Gateway's management API, by the real client against a server that answers as it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agentos_lambda.stores.posts import ManagementApiPosts, management_endpoint
from agentos_lambda.websocket.ports import Gone, Refused, Slow

API = "https://f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com/v1"


class Answers(ThreadingHTTPServer):
    """Gives the same answer to every request, and keeps what was posted."""

    status = 200
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[tuple[str, bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def posts(server: Answers) -> Iterator[ManagementApiPosts]:
    posts = ManagementApiPosts(f"http://127.0.0.1:{server.server_port}/v1")
    yield posts
    if posts._client is not None:
        posts._client.close()


def test_a_message_is_posted_to_its_connection_as_utf_8(server: Answers, posts: ManagementApiPosts) -> None:
    posts.post("Vb3xBc5zDoECGVQ=", "ü🙂")
    assert server.posted == [("/v1/@connections/Vb3xBc5zDoECGVQ%3D", "ü🙂".encode())]


@pytest.mark.parametrize(
    ("status", "error"), [(410, Gone), (429, Slow), (500, Slow), (503, Slow), (403, Refused), (413, Refused)]
)
def test_a_failure_says_what_to_do_next_and_nothing_is_posted_twice(
    server: Answers, posts: ManagementApiPosts, status: int, error: type[Exception]
) -> None:
    server.status = status
    with pytest.raises(error):
        posts.post("c-1", "hello")
    assert len(server.posted) == 1


def test_an_api_that_does_not_answer_is_tried_later(server: Answers) -> None:
    server.shutdown()
    server.server_close()
    posts = ManagementApiPosts(f"http://127.0.0.1:{server.server_port}/v1")
    with pytest.raises(Slow):
        posts.post("c-1", "hello")
    posts._client.close()


@pytest.mark.parametrize(
    ("api", "cloud", "endpoint"),
    [
        (API, None, API),
        (API, "http://127.0.0.1:4566/", "http://127.0.0.1:4566/_aws/execute-api/f6g7h8i9j0/v1"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:4566", "http://127.0.0.1:9000"),
    ],
)
def test_the_management_api_is_where_the_sdk_is_pointed_to(api: str, cloud: str | None, endpoint: str) -> None:
    assert management_endpoint(api, cloud) == endpoint
