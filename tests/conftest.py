"""What tests of all packages share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from boto3.session import Session

from tests.cloud import REGION, ministack
from tests.manifest import build_manifest
from tests.process import is_foreign

_STACKS = {"tests/contract": "stack", "tests/e2e": "deployment", "tests/local": "stack", "tests/sam_local": "stack"}
"""Folder -> the fixture of a session that its tests share, and that is dear."""
_LONGEST = (
    "tests/local/test_workflow_websocket.py",
    "tests/contract",
    "tests/local/test_lifecycle.py",
    "tests/local",
    "tests/faults/test_state_machine.py",
)
"""Groups that take long, mostly waiting for processes. They begin first, so that nobody waits for one in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups for xdist: the tests of a shared stack stay together, and so do those of a module."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: _LONGEST.index(groups[item]) if groups[item] in _LONGEST else len(_LONGEST))


def _group(item: pytest.Item) -> str:
    path = item.nodeid.partition("::")[0]
    folder = path.rpartition("/")[0]
    shared = _STACKS.get(folder)
    return folder if shared in getattr(item, "fixturenames", ()) else path


@pytest.fixture(scope="session", autouse=True)
def _cleaned_environment() -> Iterator[None]:
    """Nothing that a shell has set for AWS, models or `make run` reaches a test or a process that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(is_foreign, list(os.environ)):
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def seed() -> int:
    """What the randomness of a sample starts from: the same seed makes the same choices."""
    return int(os.environ.get("SEED", "7"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cloud_url() -> Iterator[str]:
    """One local cloud for all tests that need no other. A 12-digit access key is a tenant of its own."""
    with ministack() as url:
        yield url


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the sample components."""
    return build_manifest(tmp_path_factory.mktemp("manifest") / "manifest.json")


@pytest.fixture(scope="session")
def boto_session() -> Session:
    return Session(region_name=REGION)
