from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.websocket.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.pool.shutdown()


@pytest.fixture
def guarded() -> Iterator[World]:
    """A deployment with a security key."""
    world = World(key="sesame")
    yield world
    world.pool.shutdown()
