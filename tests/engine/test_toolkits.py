"""Toolkits that connect to a server: for one run, closed with it, and never missed in silence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from importlib import util
from pkgutil import resolve_name
from typing import Any

import pytest
from agno.agent import Agent
from agno.team import Team
from agno.tools import Toolkit
from agno.workflow import Step, Workflow

from agentos_lambda import DemoModel
from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.run import AgnoRun
from agentos_lambda.protocol.values import RunStatus
from agentos_lambda.runs.engine_ports import EngineRequest
from tests.engine.mcp_server import ToolServer, silent_tool_server, tool_server
from tests.engine.playing import Played, cancelling_at, engine_of, play, request_of
from tests.waiting import until

CALL = 'call double {"number": 21}'


@pytest.fixture(scope="module")
def server() -> Iterator[ToolServer]:
    with tool_server() as server:
        yield server


@pytest.fixture
def nobody() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"


def agent(*tools: Any, name: str = "a", **options: Any) -> Agent:
    return Agent(id=name, name=name, model=DemoModel(), tools=list(tools), **options)


def toolkit_class() -> Any:
    """agno's own, which takes a second to import, in each process that looks for tests."""
    return resolve_name("agno.tools.mcp:MCPTools")


def toolkit(url: str) -> Any:
    return toolkit_class()(url=url, name="sums", timeout_seconds=10)


KINDS: dict[str, Callable[[Any], tuple[Any, EngineRequest]]] = {
    "agent": lambda tools: (agent(tools), request_of("agent/a", CALL)),
    "team": lambda tools: (
        Team(id="t", model=DemoModel(), members=[agent()], tools=[tools]),
        request_of("team/t", CALL),
    ),
    "member": lambda tools: (
        Team(id="t", model=DemoModel(), members=[agent(tools)]),
        request_of("team/t", f"ask a: {CALL}"),
    ),
    "step": lambda tools: (
        Workflow(id="w", name="w", steps=[Step(name="s", agent=agent(tools))]),
        request_of("workflow/w", CALL),
    ),
    "a function that gives tools": lambda tools: (
        Agent(id="a", model=DemoModel(), tools=lambda: [tools]),
        request_of("agent/a", CALL),
    ),
}
EACH = pytest.mark.parametrize("kind", KINDS)


def played(kind: str, tools: Any, **options: Any) -> Played:
    component, request = KINDS[kind](tools)
    return play(engine_of(component), request, **options)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """An event loop that is there after the run, as in a function: its end would close every connection."""
    with asyncio.Runner() as loop:
        yield loop


@EACH
def test_a_toolkit_is_connected_for_the_run_and_closed_with_it(
    server: ToolServer, loop: asyncio.Runner, kind: str
) -> None:
    done = played(kind, toolkit(server.url), loop=loop)

    assert done.outcome.status is RunStatus.COMPLETED
    assert "42" in str(done.content)
    until(lambda: server.connections() == 0, 10)


def test_a_toolkit_serves_one_run_after_the_other(server: ToolServer) -> None:
    engine = engine_of(agent(toolkit(server.url)))
    contents = [play(engine, request_of("agent/a", CALL)).content for _ in range(2)]

    assert contents == ["double gave: 42", "double gave: 42"]


def test_members_that_share_a_toolkit_do_not_close_it_for_each_other(server: ToolServer, loop: asyncio.Runner) -> None:
    shared = toolkit(server.url)
    members = [agent(shared, name=name) for name in ("one", "two")]
    team = Team(id="t", model=DemoModel(), members=members)
    tasks = f"ask one: {CALL}\nask two: {CALL}"
    done = play(engine_of(team), request_of("team/t", tasks), loop=loop)

    assert done.content.count("double gave: 42") == 2
    until(lambda: server.connections() == 0, 10)


def test_a_run_that_is_cancelled_in_a_tool_closes_its_connection(server: ToolServer, loop: asyncio.Runner) -> None:
    done = play(
        engine_of(agent(toolkit(server.url))),
        request_of("agent/a", "call wait"),
        seeing=cancelling_at("ToolCallStarted"),
        loop=loop,
    )

    assert done.outcome.status is RunStatus.CANCELLED
    until(lambda: server.connections() == 0, 2)


def test_a_run_that_is_cancelled_while_it_connects_hangs_up(loop: asyncio.Runner) -> None:
    runs: list[AgnoRun] = []

    def cancel() -> None:
        runs[0].cancel()

    with silent_tool_server(cancel) as (url, hung_up):
        done = play(engine_of(agent(toolkit(url))), request_of("agent/a", CALL), first=runs.append, loop=loop)

        assert done.outcome.status is RunStatus.CANCELLED
        assert hung_up.wait(2)


@EACH
def test_a_server_that_cannot_be_reached_ends_the_run_as_an_error_that_names_the_toolkit(
    nobody: str, kind: str
) -> None:
    done = played(kind, toolkit(nobody))
    sentence = f"The toolkit sums of {'t' if kind == 'team' else 'a'} cannot be reached"

    assert done.outcome.status is RunStatus.ERROR
    assert (done.outcome.error, done.content) == (sentence, sentence)
    assert done.names[-1].endswith("Error")
    assert nobody not in str(done.events)


def test_a_toolkit_that_raises_when_it_connects_is_missed_too() -> None:
    class Raising(toolkit_class()):
        async def connect(self, force: bool = False) -> None:
            raise RuntimeError("no route to 10.0.0.5")

    done = played("agent", Raising(url="http://127.0.0.1:1/mcp", name="sums"))

    assert done.outcome.status is RunStatus.ERROR
    assert done.outcome.error == "The toolkit sums of a cannot be reached"


def test_a_toolkit_that_was_connected_before_the_run_stays_connected(server: ToolServer, loop: asyncio.Runner) -> None:
    connected = toolkit(server.url)
    loop.run(connected.connect())
    done = played("agent", connected, loop=loop)

    assert done.content == "double gave: 42"
    assert connected.initialized
    loop.run(connected.close())


def test_a_run_that_is_not_streamed_ends_the_same(nobody: str) -> None:
    done = play(engine_of(agent(toolkit(nobody))), request_of("agent/a", CALL, stream=False))

    assert done.outcome.status is RunStatus.ERROR
    assert done.outcome.error == "The toolkit sums of a cannot be reached"


@pytest.mark.parametrize("place", ["the run's component", "the part"])
def test_metadata_lets_a_component_go_on_without(nobody: str, place: str, caplog: pytest.LogCaptureFixture) -> None:
    optional = {"optional_toolkits": True}
    of_team, of_member = (optional, {}) if place == "the run's component" else ({}, optional)
    member = agent(toolkit(nobody), metadata=of_member)
    team = Team(id="t", model=DemoModel(), members=[member], metadata=of_team)
    done = play(engine_of(team), request_of("team/t", "ask a: hello"))

    assert done.outcome.status is RunStatus.COMPLETED
    assert "I am the demo model" in done.content
    assert "The toolkit sums of a cannot be reached: it goes on without" in caplog.text


class Database(Toolkit):
    """A toolkit whose ``connect`` agno calls for each run."""

    _requires_connect = True
    reachable = True
    calls: list[str]

    def __init__(self) -> None:
        super().__init__(name="ledger", tools=[self.double])

    def connect(self) -> None:
        if not self.reachable:
            raise OSError("no route to 10.0.0.5")
        self.calls.append("connect")

    def close(self) -> None:
        self.calls.append("close")

    def double(self, number: int) -> int:
        """Twice the number."""
        self.calls.append("double")
        return 2 * number


@pytest.mark.parametrize("kind", ["agent", "team", "member", "step"])
def test_a_toolkit_of_a_database_is_closed_with_the_run(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(Database, "calls", [], raising=False)
    played(kind, Database())

    assert Database.calls == ["connect", "double", "close"]


def test_a_database_that_cannot_be_reached_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "reachable", False)
    done = played("member", Database())

    assert done.outcome.status is RunStatus.ERROR
    assert done.outcome.error == "The toolkit ledger of a cannot be reached"
    assert "10.0.0.5" not in str(done.events)


def test_a_package_that_a_toolkit_imports_late_is_missed_when_components_are_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = util.find_spec
    monkeypatch.setattr(
        "agentos_lambda.engine.components.toolkits.find_spec",
        lambda name: None if name == "fastmcp" else find(name),
    )
    team = Team(id="t", model=DemoModel(), members=[agent(toolkit("http://127.0.0.1:1/mcp"))])
    with pytest.raises(ComponentsError) as told:
        describe_components(Components(teams=[team]))

    assert str(told.value) == (
        "a: the toolkit sums needs the package fastmcp: add it to layers/components/requirements.txt"
    )
