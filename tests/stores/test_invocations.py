"""Invocations through Lambda's API, by the real client against a server that answers as it does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.runs.errors import StoreUnavailable
from agentos_lambda.stores.clients import Clients
from agentos_lambda.stores.invocations import AsynchronousInvocations
from agentos_lambda.stores.retries import Retries
from tests.stores.answers import Answers, answering


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with answering() as server:
        server.status = 202
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", server.url)
        yield server


@pytest.fixture
def greetings(server: Answers) -> Iterator[AsynchronousInvocations]:
    clients = Clients()
    yield AsynchronousInvocations("agentos-websocket", clients=clients, retries=Retries(SystemClock(), tries=1))
    clients.close()


def test_the_function_is_invoked_with_the_connection(server: Answers, greetings: AsynchronousInvocations) -> None:
    greetings.send("Vb3xBc5zDoECGVQ=")
    [(path, body)] = server.received
    assert path == "/2015-03-31/functions/agentos-websocket/invocations"
    assert json.loads(body) == {"greet": "Vb3xBc5zDoECGVQ="}


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_function_that_cannot_be_invoked_is_unavailable(
    server: Answers, greetings: AsynchronousInvocations, status: int
) -> None:
    server.status = status
    with pytest.raises(StoreUnavailable):
        greetings.send("c-1")
