"""What tests of all packages share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session

from tests.cloud import REGION, ministack
from tests.groups import GroupScheduling, group_of, sample, turn_of
from tests.manifest import build_manifest
from tests.process import is_foreign


def pytest_configure() -> None:
    gc.disable()  # what collection makes is there to stay


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import are looked through by no collection: that took a third of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, help="run one in so many of the tests, by SEED")


@pytest.hookimpl(trylast=True)  # after -m and -k
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(group_of(item.nodeid)))
    one_in: int = config.getoption("--one-in")
    chosen = sample((item.nodeid for item in items), one_in, _seed())
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in chosen])
    items[:] = [item for item in items if item.nodeid in chosen]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


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
    return _seed()


def _seed() -> int:
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
