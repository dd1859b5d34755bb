from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from agno.agent import Agent

from agentos_lambda.engine.models import bedrock
from tests.engine.playing import Played, engine_of, play, request_of
from tests.providers.environment import Playing, lead_to
from tests.providers.models import PROVIDERS, Clients, add
from tests.providers.server import Provider, served


@pytest.fixture(scope="session")
def only_provider() -> Iterator[Provider]:
    """One for all tests, and so are the clients that lead to it: they take longer to make than a run."""
    with served() as provider:
        yield provider


@pytest.fixture(scope="session")
def bedrock_clients() -> dict[str | None, Any]:
    return {}


@pytest.fixture
def provider(
    only_provider: Provider, bedrock_clients: dict[str | None, Any], monkeypatch: pytest.MonkeyPatch
) -> Provider:
    """A server that the environment names as each provider's, and that nobody has asked yet."""
    lead_to(only_provider, monkeypatch, bedrock_clients)
    only_provider.begin()
    return only_provider


@pytest.fixture
def no_bedrock_clients(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has asked no model yet."""
    monkeypatch.setattr(bedrock, "_clients", {})


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    """All runs share an event loop, as in a function."""
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture(scope="session")
def clients(loop: asyncio.Runner) -> Iterator[Clients]:
    clients = Clients()
    yield clients
    loop.run(clients.close())


@pytest.fixture
def playing(provider: Provider, clients: Clients, loop: asyncio.Runner) -> Playing:
    """Plays a run of an agent with the named model."""

    def playing(name: str, message: str = "hello", *, stream: bool = True, **options: Any) -> Played:
        agent = Agent(id="a", model=PROVIDERS[name][1](clients), tools=[add])
        return play(engine_of(agent), request_of("agent/a", message, stream=stream), loop=loop, **options)

    return playing
