"""When a function that runs components imports them: while it starts, or with its first run."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agentos_lambda.aws.functions import clients, engines
from agentos_lambda.aws.settings import Settings
from agentos_lambda.engine.components.manifest import VERSION
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.stores.clients import Clients
from tests.cloud import REGION
from tests.functions.handlers import load_handler
from tests.waiting import until

AT_START = Settings(loads_components_at_start=True)
BROKEN = "components.py:7: KeyError: 'TOOL_KEY'"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What functions start with: no components, and an AWS that none of them asks by then."""
    nothing = {"agents": [], "teams": [], "workflows": [], "models": [], "providers": {}, "os": {}}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"version": VERSION, "engine_version": "1", **nothing}))
    monkeypatch.setenv("AGENTOS_MANIFEST", str(manifest))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], str]], None]:
    """Has the engine imported in another way."""
    monkeypatch.setattr(engines, "_variables", lambda: None)
    return lambda load: monkeypatch.setattr(engines, "_engine", load)


@pytest.mark.parametrize("function", ["agents", "teams", "workflows", "worker", "websocket"])
@pytest.mark.parametrize("when", ["at-start", "at-first-run"])
@pytest.mark.usefixtures("environment")
def test_what_runs_components_imports_them_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
    importing: Callable[[Callable[[], str]], None],
    function: str,
    when: str,
) -> None:
    loaded: list[str] = []
    importing(lambda: loaded.append(threading.current_thread().name) or "engine")
    monkeypatch.setenv("LOAD_COMPONENTS", when)

    load_handler(function)

    assert loaded == (["components"] if when == "at-start" and function != "websocket" else [])


@pytest.mark.parametrize("function", ["agents", "teams", "workflows", "worker", "websocket"])
@pytest.mark.parametrize("deployed", [True, False])
@pytest.mark.usefixtures("environment")
def test_what_answers_nothing_without_the_store_makes_its_clients_while_it_starts_where_it_is_deployed(
    monkeypatch: pytest.MonkeyPatch, function: str, deployed: bool
) -> None:
    prepared: list[str] = []

    class Watched(Clients):
        def prepare(self, *services: str) -> Clients:
            prepared.extend(services)
            return self

    monkeypatch.setattr(clients, "own_clients", Watched)
    if deployed:
        monkeypatch.setenv("STACK_NAME", "agentos")
        monkeypatch.setenv("SECURITY_KEY_SECRET", "arn:key")
    load_handler(function)

    assert prepared == (["dynamodb", "secretsmanager"] if deployed else [])


def test_components_that_cannot_be_imported_end_no_start_and_each_run_tries_again(
    importing: Callable[[Callable[[], str]], None], caplog: pytest.LogCaptureFixture
) -> None:
    results = iter([ComponentsError(BROKEN), ComponentsError(BROKEN), "engine"])

    def load() -> str:
        result = next(results)
        if isinstance(result, ComponentsError):
            raise result
        return result

    importing(load)
    engines.load_engine_at_start(AT_START)

    assert [record.getMessage() for record in caplog.records] == [f"the components cannot be used: {BROKEN}"]
    with pytest.raises(ComponentsError, match="TOOL_KEY"):
        engines.engine()
    assert engines.engine() == "engine"


def test_a_start_ends_before_components_that_take_too_long_and_the_first_run_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
    importing: Callable[[Callable[[], str]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imported, began = threading.Event(), []

    def load() -> str:
        began.append(imported.is_set())
        imported.wait(60)
        return "engine"

    importing(load)
    monkeypatch.setattr(engines, "START_SECONDS", 0)
    engines.load_engine_at_start(AT_START)
    until(lambda: began)
    run = threading.Thread(target=lambda: began.append(engines.engine()), daemon=True)
    run.start()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert began == [False]
    imported.set()
    run.join()
    assert began == [False, True, "engine"]  # the run asked for the engine once more, when it was there


@pytest.mark.parametrize(("kind", "seconds"), [("on-demand", 7.0), ("provisioned-concurrency", 120.0)])
def test_a_start_waits_for_as_long_as_lambda_does(
    monkeypatch: pytest.MonkeyPatch, importing: Callable[[Callable[[], str]], None], kind: str, seconds: float
) -> None:
    waited: list[float | None] = []

    class Watched(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            waited.append(timeout)
            super().join(timeout)

    importing(lambda: "engine")
    monkeypatch.setattr(engines, "Thread", Watched)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    engines.load_engine_at_start(AT_START)

    assert waited == [seconds]
