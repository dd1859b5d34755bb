"""What tests of all packages share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from hypothesis import HealthCheck, settings

from tests.cloud import REGION, ministack
from tests.groups import MARKS, GroupScheduling, group_of, may_hold, own_order, sample, turn_of
from tests.local_stack import KEY, StackProcess, running_stack
from tests.manifest import shared_manifest
from tests.process import ROOT, is_foreign
from tests.shared_stacks import SharedStacks
from tests.stores.accounts import Aws, ministack_account, moto_account

# How fast a machine makes examples says nothing about what they try.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # what collection makes is there to stay
    config.pluginmanager.register(SharedStacks())
    config.args = own_order(config.args)


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import are looked through by no collection: that took a third of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--one-in", type=int, default=1, help="run one in so many of the tests, by SEED")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    mark = config.getoption("markexpr")
    return True if mark in MARKS and not may_hold(collection_path, mark) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    for mark in item.iter_markers():
        if mark.name in MARKS and not may_hold(item.path, mark.name):
            raise pytest.UsageError(
                f"-m {mark.name} would not find {item.path}: neither it nor its conftest.py names the mark."
            )


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_sort_files(items: list[pytest.Item]) -> None:
    """Each process has read them in an order of its own."""
    items.sort(key=lambda item: item.path)


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


@pytest.fixture
def fresh_id() -> str:
    """An id that no other test uses."""
    return f"id-{next(_numbers)}-{os.getpid()}"


@pytest.fixture(scope="session")
def cloud_url() -> Iterator[str]:
    """One local cloud for all tests that need no other. A 12-digit access key is a tenant of its own."""
    with ministack() as url:
        yield url


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the workflow ``held`` of the closed stack waits for: that somebody opens this pipe to write."""
    path = tmp_path_factory.mktemp("gate") / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture(scope="session")
def closed_stack(tmp_path_factory: pytest.TempPathFactory, gate: Path) -> Iterator[StackProcess]:
    """What ``make run`` starts, with a security key, and with workflows to be followed beside the samples."""
    components = ROOT / "tests/local/websocket_components.py"
    state = tmp_path_factory.mktemp("closed") / "state"
    variables = {"OS_SECURITY_KEY": KEY, "TESTS_GATE": str(gate)}
    with running_stack(state, variables, components=components) as stack:
        yield stack


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the sample components, for all processes of this run of the tests."""
    own = tmp_path_factory.getbasetemp()
    return shared_manifest(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def boto_session() -> Session:
    return Session(region_name=REGION)


@pytest.fixture
def ministack_aws(cloud_url: str) -> Aws:
    """An empty account of the local cloud with this project's tables."""
    return ministack_account(cloud_url)


@pytest.fixture
def moto_aws() -> Iterator[Aws]:
    """The same within this process."""
    with moto_account() as aws:
        yield aws
