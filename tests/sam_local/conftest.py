"""One stack under sam local for all tests, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sam_local.stack import KEY, SamStack, sam_stack, why_not


@pytest.fixture(scope="session")
def docker_answers() -> None:
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def stack(docker_answers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamStack]:
    """A stack with a key. In the end it must leave nothing behind."""
    with sam_stack(tmp_path_factory.mktemp("sam") / "state", OS_SECURITY_KEY=KEY) as running:
        running.until_ready()
        yield running
        assert running.end() == 0
        assert "Traceback" not in running.output()


@pytest.fixture(scope="session")
def api(stack: SamStack) -> Iterator[httpx.Client]:
    """A client with the key."""
    with httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(stack: SamStack) -> Iterator[httpx.Client]:
    """A client without the key."""
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client
