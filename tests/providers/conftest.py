from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from agno.agent import Agent

from tests.engine.playing import Played, engine_of, play, request_of
from tests.providers.environment import Playing, provider_of
from tests.providers.models import PROVIDERS, Clients, add
from tests.providers.server import Provider


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A server that the environment names as each provider's."""
    with provider_of(monkeypatch) as provider:
        yield provider


@pytest.fixture
def playing(provider: Provider) -> Iterator[Playing]:
    """Plays a run of an agent with the named model. All runs of a test share an event loop, as in a function."""
    with asyncio.Runner() as loop:
        clients = Clients()

        def playing(name: str, message: str = "hello", *, stream: bool = True, **options: Any) -> Played:
            agent = Agent(id="a", model=PROVIDERS[name][1](clients), tools=[add])
            return play(engine_of(agent), request_of("agent/a", message, stream=stream), loop=loop, **options)

        yield playing
        loop.run(clients.close())
