"""Messages through API Gateway's management API, by the real client against a server that answers as it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.posts import ManagementApiPosts, management_endpoint
from agentos_lambda.websocket.ports import Gone, Refused, Slow
from tests.stores.answers import Answers, answering

API = "https://f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com/v1"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with answering() as server:
        yield server


@pytest.fixture
def posts(server: Answers) -> Iterator[ManagementApiPosts]:
    clients = Clients()
    yield ManagementApiPosts(f"{server.url}/v1", clients=clients)
    clients.close()


def test_a_message_is_posted_to_its_connection_as_utf_8(server: Answers, posts: ManagementApiPosts) -> None:
    posts.post("Vb3xBc5zDoECGVQ=", "ü🙂")
    assert server.received == [("/v1/@connections/Vb3xBc5zDoECGVQ%3D", "ü🙂".encode())]


def test_a_connection_is_closed(server: Answers, posts: ManagementApiPosts) -> None:
    posts.close("Vb3xBc5zDoECGVQ=")
    assert server.received == [("/v1/@connections/Vb3xBc5zDoECGVQ%3D", b"")]
    server.status = 410
    with pytest.raises(Gone):
        posts.close("Vb3xBc5zDoECGVQ=")


@pytest.mark.parametrize(
    ("status", "error"), [(410, Gone), (429, Slow), (500, Slow), (503, Slow), (403, Refused), (413, Refused)]
)
def test_a_failure_says_what_to_do_next_and_nothing_is_posted_twice(
    server: Answers, posts: ManagementApiPosts, status: int, error: type[Exception]
) -> None:
    server.status = status
    with pytest.raises(error):
        posts.post("c-1", "hello")
    assert len(server.received) == 1


def test_an_api_that_breaks_its_answer_off_is_not_asked_again_here(server: Answers, posts: ManagementApiPosts) -> None:
    server.hangs_up = True
    with pytest.raises(Slow):
        posts.post("c-1", "hello")
    assert len(server.received) == 1


def test_an_api_that_does_not_answer_is_tried_later(server: Answers, posts: ManagementApiPosts) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(Slow):
        posts.post("c-1", "hello")


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
