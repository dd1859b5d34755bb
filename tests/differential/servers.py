"""The two servers, asked in the same way: each request comes with the time at which it comes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
from fastapi import APIRouter
from starlette.testclient import TestClient

from agentos_lambda.api.app import create_app
from agentos_lambda.api.context import Os, Services
from agentos_lambda.api.routes.kinds import kind_router
from agentos_lambda.api.routes.memories import memory_router
from agentos_lambda.api.routes.optimize import optimize_router
from agentos_lambda.api.routes.session_runs import session_run_router
from agentos_lambda.api.routes.sessions import session_router
from agentos_lambda.engine.components.build_manifest import describe_components
from agentos_lambda.engine.components.loader import Components
from agentos_lambda.engine.components.manifest import Manifest
from agentos_lambda.engine.engine import AgnoEngine
from agentos_lambda.identity.authority import Authority
from agentos_lambda.memories.optimizing import MemoryOptimizer
from agentos_lambda.memories.service import MemoryService
from agentos_lambda.protocol.values import Kind
from agentos_lambda.sessions.removal import SessionRemoval
from agentos_lambda.sessions.service import SessionService
from tests.clocks import ManualClock
from tests.differential.components import agents, teams, workflows
from tests.differential.oracle import START
from tests.process import ROOT, free_port
from tests.runs.world import World
from tests.waiting import until

ORACLE = ROOT / ".venvs/oracle/bin/python"


@dataclass(frozen=True)
class Asked:
    """A request: ``json`` or ``form`` is its body."""

    method: str
    path: str
    params: Any = None
    json: Any = None
    form: dict[str, str] | None = None

    def __str__(self) -> str:
        parts = [f"{name}={value!r}" for name, value in vars(self).items() if name not in ("method", "path") and value]
        return " ".join([self.method, self.path, *parts])


class Server(Protocol):
    """One of the two."""

    def ask(self, asked: Asked, *, second: int) -> httpx.Response:
        """The answer to a request that comes so many seconds after the start."""


@dataclass
class Released:
    """The released AgentOS."""

    client: httpx.Client

    def ask(self, asked: Asked, *, second: int) -> httpx.Response:
        return self.client.request(
            asked.method,
            asked.path,
            params=asked.params,
            json=asked.json,
            data=asked.form,
            headers={"x-now": str(START + second)},
        )


@contextmanager
def released(folder: Path) -> Iterator[Released]:
    """The released AgentOS as a process of its own, with its state in a file of this folder."""
    if not ORACLE.exists():
        raise RuntimeError("There is no released AgentOS: run `make .venvs/oracle/.ready` first.")
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'layers/agentos_lambda'}{os.pathsep}{ROOT}"}
    command = [ORACLE, "-m", "tests.differential.oracle", str(port), str(folder / "oracle.db")]
    with (
        subprocess.Popen(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):

        def answers() -> bool:
            if process.poll() is not None:
                raise RuntimeError("The released AgentOS has ended.")
            try:
                return client.get("/health").is_success
            except httpx.TransportError:
                return False

        try:
            until(answers, 300)  # it imports all of AgentOS
            yield Released(client)
        finally:
            process.terminate()


@dataclass
class Ours:
    """Our routes over the memory store and the engine, and the worker that removes what was deleted."""

    components: Components = field(default_factory=lambda: Components(agents(), teams(), workflows()))
    clock: ManualClock = field(default_factory=lambda: ManualClock(START * 1000))

    def __post_init__(self) -> None:
        components = self.components
        catalog = Manifest(describe_components(components))
        self.world = world = World(clock=self.clock, load_engine=lambda: engine)
        engine = AgnoEngine(components, now=self.clock.now)
        sessions = SessionService(world.store, world.queue, self.clock, new_id=world.new_id)
        self._removal = SessionRemoval(world.store, world.runs, catalog, world.queue, self.clock)
        routers = [
            *(kind_router(kind, catalog, world.intake, world.runs, self.clock) for kind in Kind),
            session_router(catalog, sessions),
            session_run_router(catalog, sessions),
            memory_router(catalog, MemoryService(world.store, self.clock, new_id=world.new_id)),
            optimize_router(
                catalog, MemoryOptimizer(world.store, lambda: engine, self.clock, new_id=world.new_id), self.clock
            ),
        ]
        router = APIRouter(routes=[route for each in routers for route in each.routes])
        services = Services(Os(), catalog, self.clock, Authority(lambda: None, self.clock))
        app = create_app(router, services, at_end=world.executor.idle)
        self._client = TestClient(app, raise_server_exceptions=False)

    def ask(self, asked: Asked, *, second: int) -> httpx.Response:
        self.clock.time = (START + second) * 1000
        answer = self._client.request(asked.method, asked.path, params=asked.params, json=asked.json, data=asked.form)
        if self.world.queue.deletions:
            self._removal.step(self.world.queue.deletions.popleft())
        return answer
